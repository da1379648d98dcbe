"""What the run's load would cost on AWS, as a table and a chart: a model, and said to be one.

In: the evidence of a run. Out: a `Table` of quantity × price = amount, and a `Figure` of the services' shares.
"""

from harness.checks import Evidence
from harness.cost import words
from harness.cost.of_run import REGION, cost_of
from harness.report.scene import ALL, Figure, Scene, Trace
from harness.report.tables import Row, Table, columns_of
from harness.report.words import percent

BAR_COLOUR = "#2b7de0"


def cost_table(evidence: Evidence) -> Table:
    """A day at the run's rate; no rows where the run cannot be priced."""
    columns = columns_of(["service", "what"], ["quantity", "price", "a day"])
    found = cost_of(evidence)
    caption = f"What a day at this rate would cost in {REGION}: a model, not a bill"
    if found is None:
        return Table(caption, columns, ())
    rows = [
        Row((line.service, line.what, f"{words.quantity(line.quantity)} {line.unit}", f"× {words.price(line)}",
             words.usd(line.amount_usd)))
        for line in found.day.lines
    ]  # fmt: skip
    rows.append(Row(("all", "", "", "", words.usd(found.day.total_usd))))
    note = (
        f"{words.usd(found.usd_per_1000_files)} for 1,000 files and {words.usd(found.usd_per_million_records)} for a "
        "million records, without landing and the warehouse. List prices × what this run did on this machine, at the "
        "production merge interval; harness cost takes another rate, region or time in the function."
    )
    return Table(caption, columns, tuple(rows), note)


def cost_shares(scene: Scene) -> Figure | None:
    """A bar a service, the dearest first; None where the run cannot be priced."""
    found = cost_of(scene.evidence)
    if found is None or not found.day.total_usd:
        return None
    amounts = found.day.by_service()
    dearest = next(iter(amounts))
    trace: Trace = {
        "type": "bar", "orientation": "h", "name": "a day", "showlegend": False,
        "x": [round(amount, 4) for amount in amounts.values()], "y": list(amounts),
        "text": [words.usd(amount) for amount in amounts.values()],
        "marker": {"color": BAR_COLOUR}, "meta": {"groups": [ALL, *scene.types]},
        "hovertemplate": "%{y}: $%{x:,.4f} a day<extra></extra>",
    }  # fmt: skip
    return Figure(
        "cost",
        "What it would cost",
        f"{dearest} is {percent(amounts[dearest] / found.day.total_usd)} of {words.usd(found.day.total_usd)} a day.",
        "A model: list prices × quantities of this run, at its own rate and the production merge interval. The time in "
        "the function is this machine's, and its warehouse is a stand-in.",
        [trace],
        {
            "xaxis": {"title": {"text": "US dollars a day"}, "rangemode": "tozero"},
            "yaxis": {"autorange": "reversed", "automargin": True},
        },
        60 + 44 * len(amounts),
    )

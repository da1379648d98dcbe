"""Two designs side by side, for people: a page with charts, and a table for the terminal.

In: a `SideBySide`. Out: text. It draws what the judgements hold and concludes nothing of its own.
"""

from typing import Any

from harness.checks import Evidence
from harness.report import html, series
from harness.report.scene import ALL, ALL_COLOUR, TYPE_COLOURS, Figure, Trace, limit_line, trace
from harness.report.tables import Row, Table, columns_of
from harness.report.tables import text as safe_text
from harness.report.words import count, seconds, several
from harness.side_by_side import MODEL, SideBySide, missed

COLOURS = dict(zip(("event", "batch"), TYPE_COLOURS, strict=False))


def headline(found: SideBySide) -> str:
    """One sentence that says how both did."""
    sla_s = found.event.evidence.facts.sla_s
    said = []
    for one in found.designs:
        lost = f", {count(one.records_lost)} records lost" if one.records_lost else ", nothing lost"
        worst = f", the slowest after {seconds(one.availability_s['max'])}" if one.availability_s else ""
        said.append(f"{one.design}: {count(one.sla_misses)} of {several(one.files, 'file')} missed the SLA of "
                    f"{seconds(sla_s)}{worst}{lost}")  # fmt: skip
    return "; ".join(said) + "."


def _rows(found: SideBySide) -> list[tuple[str, list[str]]]:
    designs = found.designs
    quantile = {
        name: [seconds(one.availability_s[name] if one.availability_s else None) for one in designs]
        for name in ("p50", "p95", "p99", "max")
    }
    return [
        ("verdict", [one.verdict for one in designs]),
        ("files delivered", [count(one.files) for one in designs]),
        *((f"queryable after, {name}", values) for name, values in quantile.items()),
        ("files that missed the SLA", [count(one.sla_misses) for one in designs]),
        ("invocations or job runs", [count(one.runs) for one in designs]),
        ("of them failed", [count(one.runs_failed) for one in designs]),
        ("records in failed runs", [count(one.records_in_failed_runs) for one in designs]),
        ("records lost", [count(one.records_lost) for one in designs]),
        ("records doubled", [count(one.records_doubled) for one in designs]),
        ("function seconds, billed", [_number(one.function_s) for one in designs]),
        ("DPU seconds, billed (model)", [_number(one.dpu_s) for one in designs]),
        *_cost_rows(found),
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _cost_rows(found: SideBySide) -> list[tuple[str, list[str]]]:
    if found.cost is None:
        return []
    usd = (found.cost.event_driven_usd, found.cost.batch_usd)
    return [("its own cost, $ in 30 days (model)", [f"{amount:,.2f}" for amount in usd])]


def text(found: SideBySide) -> str:
    """For the terminal."""
    facts = found.event.evidence.facts
    lines = [
        f"{facts.scenario} (seed {facts.seed}, time scale {facts.time_scale:g}, SLA {seconds(facts.sla_s)})",
        "",
        f"  {'':<36} {found.designs[0].design:>16} {found.designs[1].design:>16}",
        *(f"  {title:<36} {new:>16} {old:>16}" for title, (new, old) in _rows(found)),
        "",
    ]
    if found.cost is None:
        lines.append("  cost: a design loaded nothing, so there is nothing to price")
    else:
        lines.append(
            f"  new / old = {found.cost.own_ratio:.2f} ({found.cost.whole_ratio:.2f} with a serverless warehouse, paid "
            f"while it works, and the landing files); published: about {found.cost.published_ratio:g}. This is {MODEL}."
        )
    for judgement, one in zip((found.event, found.batch), found.designs, strict=True):
        lines += [f"  {one.design}: {result.name}: {result.detail}" for result in judgement.results
                  if str(result.verdict) != "pass"]  # fmt: skip
    return "\n".join(lines)


def page(found: SideBySide, run: str) -> str:
    """The whole report, self-contained; it links to each design's own."""
    facts = found.event.evidence.facts
    figures = {figure.name: figure for figure in (_available(found), _age(found))}
    return html.chart_page(
        "side_by_side.html",
        figures,
        run=run,
        facts=facts,
        verdict=found.exit_code.name.lower(),
        headline=headline(found),
        designs=found.designs,
        groups=[ALL, *facts.types],
        tables={"designs": _designs(found), "batches": _batches(found.batch.evidence), "cost": _cost(found)},
    )


def _both(found: SideBySide) -> list[tuple[str, str, Evidence]]:
    return [
        (key, one.design, judgement.evidence)
        for key, one, judgement in zip(COLOURS, found.designs, (found.event, found.batch), strict=True)
    ]


def _line(key: str, name: str, group: str, points: series.Points, **line: Any) -> Trace:
    x, y = points
    style = {"color": COLOURS.get(key, ALL_COLOUR), "width": 2} | line
    return trace("scatter", name, (group,), mode="lines", x=x, y=y, line=style)


def _available(found: SideBySide) -> Figure:
    """Files delivered, and queryable in each design, over the run."""
    traces = []
    for group in (ALL, *found.event.evidence.facts.types):
        for key, name, evidence in _both(found):
            origin_s = evidence.history.start_at_s or 0.0
            files = [file for file in evidence.delivered if group in (ALL, file.type)]
            if key == "event":
                due = [file.at_s for file in files]
                traces.append(_line("", "delivered", group, series.cumulative(due), shape="hv", dash="dot"))
            merged = [file.merged_s - origin_s for file in files if file.merged_s is not None]
            traces.append(_line(key, f"queryable: {name}", group, series.cumulative(merged), shape="hv"))
    return Figure(
        "available", "Availability over time", headline(found),
        "The gap between a design's line and the dotted one is what was delivered and could not be queried yet.",
        traces,
        {
            "xaxis": {"title": {"text": "seconds into the load"}},
            "yaxis": {"title": {"text": "files"}, "rangemode": "tozero"},
        },
    )  # fmt: skip


def _age(found: SideBySide) -> Figure:
    """The share of the delivered files that are queryable within a time."""
    sla_s, traces, said = found.event.evidence.facts.sla_s, [], []
    for group in (ALL, *found.event.evidence.facts.types):
        for key, name, evidence in _both(found):
            files = [file for file in evidence.delivered if group in (ALL, file.type)]
            taken = [file.end_to_end_s for file in files if file.end_to_end_s is not None]
            x, y = series.cumulative(taken)
            traces.append(_line(key, name, group, (x, [round(value / len(files) * 100, 2) for value in y])))
            if group == ALL:
                in_time = sum(not missed(file.end_to_end_s, sla_s) for file in files)
                said.append(f"{name}: {in_time:,} of {len(files):,} within {seconds(sla_s)}")
    return Figure(
        "age", "How soon a file can be queried", "; ".join(said) + ".",
        "Per cent of the delivered files that were queryable within so many seconds of their intended upload.",
        traces,
        {
            "xaxis": {"title": {"text": "seconds since the intended upload"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "per cent of the files"}, "range": [0, 102]},
            "shapes": [limit_line("x", sla_s, f"SLA {seconds(sla_s)}")],
        },
    )  # fmt: skip


def _designs(found: SideBySide) -> Table:
    rows = tuple(Row((title, *values), None, False) for title, values in _rows(found))
    return Table("Both designs", columns_of([""], [one.design for one in found.designs]), rows)


def _batches(evidence: Evidence) -> Table:
    rows = []
    for run in evidence.history.batch_runs:
        types = run["types"]
        cells = (
            run["run_id"], count(sum(len(one["keys"]) for one in types)), seconds(run["spark_ready_s"]),
            *(seconds(sum(one.get(key) or 0.0 for one in types))
              for key in ("list_s3_s", "fetch_s", "list_s", "plan_s", "write_s")),
            seconds(run["ended_s"] - run["started_s"]), f"{run['dpu_s']:,.0f}", safe_text(run["error"] or "ok"),
        )  # fmt: skip
        rows.append(Row(cells, None, run["status"] != "ok"))
    columns = columns_of(
        ["run"],
        ["files", "Spark start", "list S3", "fetch", "list for Spark", "plan", "read and write", "whole run", "DPU s"],
    ) + columns_of(["outcome"], [])
    note = f"DPU seconds are a model: workers × DPUs × seconds, a minute at least. {MODEL.capitalize()}."
    return Table("Each run", columns, tuple(rows), note)


def _cost(found: SideBySide) -> Table:
    columns = columns_of(["30 days"], ["event-driven", "Glue job", "new / old", "published"])
    if found.cost is None:
        return Table("Cost (a model)", columns, (), "A design loaded nothing, so there is nothing to price.")
    cost = found.cost
    row = Row(
        ("its own services, $", f"{cost.event_driven_usd:,.2f}", f"{cost.batch_usd:,.2f}", f"{cost.own_ratio:.2f}",
         f"{cost.published_ratio:g}"), None, False,
    )  # fmt: skip
    job = cost.batch_job
    note = (
        f"{MODEL.capitalize()}. The job: {job['dpus']:g} DPUs for {seconds(job['run_s'])} every "
        f"{seconds(job['every_s'])}; {job['origin']}. "
        "With a serverless warehouse, paid while it works, and the landing files: "
        f"new / old = {cost.whole_ratio:.2f}."
    )
    return Table("Cost (a model)", columns, (row,), note)

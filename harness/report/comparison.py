"""`compare.html`: what `harness compare` and `harness gate` found, to look at.

In: a `Comparison`. Out: the text of one self-contained page: the outcome and what it rests on in words, each metric's
change with the interval that noise leaves it, every run as a dot, and the whole table.
"""

from collections.abc import Sequence
from statistics import fmean

from harness.compare.decide import FALSE_ALARM, MATTERS, WOULD_SHOW, Comparison, Finding, Outcome
from harness.compare.text import HEADLINES, blamed, mean_of, worst_first
from harness.report import html
from harness.report.scene import ALL, Figure, Trace, safe, trace
from harness.report.tables import Column, Row, Table, columns_of, text
from harness.report.words import listed, several

CLASSES = {
    Outcome.SAME: "pass", Outcome.BETTER: "pass", Outcome.WORSE: "fail", Outcome.TOO_NOISY: "inconclusive",
    Outcome.MISSING: "inconclusive",
}  # fmt: skip
MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
COLOURS = {
    Outcome.WORSE: "#d64545", Outcome.BETTER: "#1a9c7b", Outcome.SAME: "#808a96", Outcome.TOO_NOISY: "#c9a400",
    Outcome.MISSING: "#c9a400",
}  # fmt: skip
SIDE_COLOURS = {"base": "#808a96", "head": "#2b7de0"}
SYMBOLS = {"base": "circle-open", "head": "diamond"}
PER_METRIC_PX, AROUND_PX = 26, 130


def page(comparison: Comparison) -> str:
    """The whole page; runs are named, not linked, for it may be looked at elsewhere."""
    facts, verdict = comparison.base[0].facts, CLASSES[comparison.outcome]
    figures = [_changes(comparison), _runs(comparison)]
    return html.chart_page(
        "comparison.html",
        {figure.name: figure for figure in figures if figure.traces},
        scenario=facts.scenario,
        pipeline=facts.pipeline,
        verdict=verdict,
        word=(MARKS[verdict], words(comparison.outcome)),
        headline=HEADLINES[comparison.outcome],
        rests_on=[f"{one.name}: {one.detail}" for one in blamed(comparison)],
        notes=comparison.notes,
        groups=[ALL],
        tables={"findings": _findings(comparison), "runs": _run_table(comparison)},
        method=(FALSE_ALARM, MATTERS, WOULD_SHOW),
    )


def words(outcome: Outcome) -> str:
    """`too noisy`, not `too_noisy`."""
    return str(outcome).replace("_", " ")


def _judged(comparison: Comparison) -> list[Finding]:
    return [one for one in worst_first(comparison.findings) if one.ratio is not None]


def _changes(comparison: Comparison) -> Figure:
    """A forest plot: of each metric the change in per cent, and between which bounds noise leaves it."""
    traces: list[Trace] = []
    judged = _judged(comparison)
    for outcome in Outcome:
        mine = [(one, one.ratio) for one in judged if one.outcome is outcome]
        if not mine:
            continue
        change = [round((ratio.value - 1) * 100, 2) for _, ratio in mine if ratio]
        traces.append(
            trace(
                "scatter", words(outcome), (ALL,), mode="markers", x=change, y=[safe(one.name) for one, _ in mine],
                error_x={
                    "type": "data", "symmetric": False, "thickness": 1.5,
                    "array": [round((ratio.high - ratio.value) * 100, 2) for _, ratio in mine if ratio],
                    "arrayminus": [round((ratio.value - ratio.low) * 100, 2) for _, ratio in mine if ratio],
                },
                customdata=[safe(one.detail) for one, _ in mine], marker={"color": COLOURS[outcome], "size": 9},
                hovertemplate="%{y}<br>%{customdata}<extra></extra>",
            )
        )  # fmt: skip
    worse = [one.name for one in judged if one.outcome is Outcome.WORSE]
    return Figure(
        "changes",
        "How much each metric changed",
        f"Worse: {listed(worse)}." if worse else f"No metric of {len(judged)} is worse.",
        "A dot is the ratio of head to base, its line what 95 % confidence leaves on either side. A metric is worse "
        f"when its dot is beyond {MATTERS:.0%} and noise does not explain it; it is the same when its line ends before "
        f"{WOULD_SHOW:.0%}. More throughput is better, more of anything else is worse.",
        traces,
        {
            "yaxis": {"type": "category", "automargin": True, "fixedrange": True, "categoryorder": "array",
                      "categoryarray": [safe(one.name) for one in reversed(judged)]},
            "xaxis": {"title": {"text": "change in per cent"}, "zeroline": True, "zerolinewidth": 2},
            "shapes": [_line_at(100 * MATTERS, "dash"), _line_at(100 * WOULD_SHOW, "dot")],
        },
        AROUND_PX + PER_METRIC_PX * len(judged),
    )  # fmt: skip


def _line_at(at: float, dash: str) -> dict[str, object]:
    return {
        "type": "line", "x0": at, "x1": at, "xref": "x", "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": COLOURS[Outcome.WORSE], "width": 1, "dash": dash},
    }  # fmt: skip


def _runs(comparison: Comparison) -> Figure:
    """Every run as a dot, against the mean of the base's runs."""
    judged = _judged(comparison)
    traces = []
    for side in SIDE_COLOURS:
        x, y, about = list[float](), list[str](), list[str]()
        for one in judged:
            base = fmean(value for value in one.base if value is not None)
            for number, value in enumerate(getattr(one, side), start=1):
                if value is not None and base > 0:
                    x.append(round((value / base - 1) * 100, 2))
                    y.append(safe(one.name))
                    about.append(f"{side} run {number}: {value:,.4g} {safe(one.unit)}")
        traces.append(
            trace(
                "scatter", side, (ALL,), mode="markers", x=x, y=y, customdata=about,
                marker={"color": SIDE_COLOURS[side], "size": 8, "symbol": SYMBOLS[side], "opacity": 0.85},
                hovertemplate="%{y}<br>%{customdata}<extra></extra>",
            )
        )  # fmt: skip
    return Figure(
        "runs",
        "Run by run",
        f"{several(len(comparison.base), 'run')} of the base, {len(comparison.head)} of the head.",
        "One dot a run, in per cent of the base's mean. How far dots of one colour lie apart is the noise.",
        traces if judged else [],
        {
            "yaxis": {"type": "category", "automargin": True, "fixedrange": True, "categoryorder": "array",
                      "categoryarray": [safe(one.name) for one in reversed(judged)]},
            "xaxis": {"title": {"text": "per cent from the base's mean"}, "zeroline": True},
        },
        AROUND_PX + PER_METRIC_PX * len(judged),
    )  # fmt: skip


def _findings(comparison: Comparison) -> Table:
    rows = [
        Row(
            (text(one.name), words(one.outcome), mean_of(one.base, one.unit), mean_of(one.head, one.unit),
             text(one.detail)),
            None, one.outcome is Outcome.WORSE,
        )
        for one in worst_first(comparison.findings)
    ]  # fmt: skip
    columns = (*columns_of(["what", "outcome"], ["base", "head"]), Column("change"))
    return Table("Every count and metric", columns, tuple(rows))


def _run_table(comparison: Comparison) -> Table:
    sides: Sequence[tuple[str, object]] = [
        *(("base", one) for one in comparison.base), *(("head", one) for one in comparison.head),
    ]  # fmt: skip
    rows = [
        Row((side, text(one.run), str(one.verdict), text(one.facts.started_at), text(one.problem or "–")))  # type: ignore[attr-defined]
        for side, one in sides
    ]
    return Table("Runs", columns_of(["side", "run", "verdict", "started", "what speaks against it"], []), tuple(rows))

"""The charts of how long files took: over time, by part, and by percentile.

In: a scene. Out: a figure each.
"""

from collections.abc import Sequence

from harness.report import breakdown, series
from harness.report.breakdown import Breakdown
from harness.report.scene import (
    ALL,
    ALL_COLOUR,
    OTHER_PART_COLOUR,
    PART_COLOURS,
    Figure,
    Scene,
    Trace,
    limit_line,
    safe,
    shades,
    trace,
)
from harness.report.words import percent, seconds, several
from harness.statistics import PERCENTILES, percentile


def latency_over_time(scene: Scene) -> Figure:
    """Each file at its intended time, as high as it took to be queryable; what never was stands at the top."""
    sla_s = scene.evidence.facts.sla_s
    took_s = [one.file.end_to_end_s or 0.0 for one in scene.breakdowns]
    top_s = max([sla_s, *took_s, *(max(one["y"], default=0.0) for one in _ages(scene))]) * 1.12
    late = sum(value > sla_s for value in took_s)
    traces = [_latencies(scene, name) for name in scene.types]
    going_on = scene.now_s is not None
    left = [_on_the_way(scene, name) if going_on else _never_merged(scene, name, top_s) for name in scene.types]
    left = [one for one in left if one["x"]]
    number = sum(len(one["x"]) for one in left)
    rest = f"; {several(number, 'file')} {'on the way' if going_on else 'never reached a final table'}" if left else ""
    if going_on and (overdue := sum(age_s > sla_s for one in left for age_s in one["y"])):
        rest += f", {overdue:,} of them older than that already"
    about_rest = (
        "Rings are on their way, at their age so far. " if going_on else "The crosses at the top never got there. "
    )
    return Figure(
        "latency",
        "End-to-end latency over time",
        f"{several(late, 'file') if late else 'No file'} took more than the SLA of {seconds(sla_s)}; the slowest took "
        f"{seconds(max(took_s, default=None))}"
        f"{rest}.",
        "One dot a file: when it was due, and how long until its records could be queried in the final table. "
        + (about_rest if left else ""),
        [*traces, *left],
        {
            "xaxis": {"title": {"text": "due, seconds into the load"}, "range": scene.way_range},
            "yaxis": {"title": {"text": "seconds"}, "range": [0, top_s * 1.06]},
            "shapes": [*shades(scene), limit_line("y", sla_s, f"SLA {seconds(sla_s)}")],
        },
        420,
    )


def _latencies(scene: Scene, name: str) -> Trace:
    mine = [one for one in scene.breakdowns if one.file.type == name]
    return trace(
        "scatter", name, (ALL, name), mode="markers",
        x=[round((one.file.intended_s or 0.0) - scene.origin_s, 2) for one in mine],
        y=[round(one.file.end_to_end_s or 0.0, 3) for one in mine],
        customdata=[
            [safe(one.file.key), f"{breakdown.label(one.longest)} {seconds(one.parts_s[one.longest])}"] for one in mine
        ],
        hovertemplate="%{customdata[0]}<br>due at %{x} s · took %{y} s<br>most of it: %{customdata[1]}<extra></extra>",
        marker={"color": scene.colour(name), "size": 6 if len(scene.breakdowns) < 2000 else 4, "opacity": 0.8},
    )  # fmt: skip


def _never_merged(scene: Scene, name: str, top_s: float) -> Trace:
    mine = [file for file in scene.files(name) if file.merged_s is None and file.acknowledged_s is not None]
    return trace(
        "scatter", f"{name}: never merged", (ALL, name), mode="markers",
        x=[round((file.intended_s or 0.0) - scene.origin_s, 2) for file in mine],
        y=[round(top_s, 3)] * len(mine),
        customdata=[
            [safe(file.key), "on a dead letter queue" if file.dead_letter else f"last seen {file.last_stage}"]
            for file in mine
        ],
        hovertemplate="%{customdata[0]}<br>due at %{x} s · never in the final table<br>%{customdata[1]}<extra></extra>",
        marker={"color": scene.colour(name), "size": 10, "symbol": "x"},
    )  # fmt: skip


def _ages(scene: Scene) -> list[Trace]:
    return [] if scene.now_s is None else [_on_the_way(scene, name) for name in scene.types]


def _on_the_way(scene: Scene, name: str) -> Trace:
    """Of a run that is going on: as high as the file is old; a dead letter goes nowhere any more."""
    now_s = scene.now_s or 0.0
    mine = [file for file in scene.files(name) if file.acknowledged_s is not None and not file.is_settled]
    due_s = [(file.intended_s or 0.0) - scene.origin_s for file in mine]
    return trace(
        "scatter", f"{name}: on the way", (ALL, name), mode="markers",
        x=[round(at_s, 2) for at_s in due_s],
        y=[round(max(0.0, now_s - at_s), 2) for at_s in due_s],
        customdata=[[safe(file.key), f"last seen {file.last_stage}"] for file in mine],
        hovertemplate="%{customdata[0]}<br>due at %{x} s · %{y} s old<br>%{customdata[1]}<extra></extra>",
        marker={"color": scene.colour(name), "size": 7, "symbol": "circle-open"},
    )  # fmt: skip


def where_the_time_goes(scene: Scene) -> Figure:
    """Stacked bars: the mean parts of the files around p50, p95 and p99, and of the ten slowest files."""
    parts, traces = breakdown.parts_in(scene.breakdowns), list[Trace]()
    took_s = [one.file.end_to_end_s or 0.0 for one in scene.breakdowns]
    for group in (ALL, *scene.types):
        mine = [one for one in scene.breakdowns if group in (ALL, one.file.type)]
        bars = _bars(mine)
        for part in parts:
            traces.append(
                trace(
                    "bar", breakdown.label(part), (group,), orientation="h", legendgroup=part,
                    y=[bar for bar, _, _ in bars],
                    x=[round(parts_s.get(part, 0.0), 4) for _, _, parts_s in bars],
                    customdata=[about for _, about, _ in bars],
                    hovertemplate=f"%{{customdata}}<br>{safe(breakdown.label(part))}: %{{x:.3f}} s<extra></extra>",
                    marker={"color": PART_COLOURS.get(part, OTHER_PART_COLOUR)},
                )
            )  # fmt: skip
    slowest = breakdown.mean(scene.breakdowns[-breakdown.WORST :]) if scene.breakdowns else {}
    longest = max(slowest, key=slowest.__getitem__) if slowest else None
    sla_s = scene.evidence.facts.sla_s
    return Figure(
        "breakdown",
        "Where the time goes",
        f"The ten slowest files spent most of their time in “{breakdown.label(longest)}”: {seconds(slowest[longest])}, "
        f"{percent(slowest[longest] / max(sum(slowest.values()), 1e-9))} of it."
        if longest
        else "No file reached a final table.",
        "Above: the mean of the files around each percentile of the end-to-end latency. Below: the ten slowest files, "
        "named in the table. Tap a name in the legend to take its part out, twice to see it alone.",
        traces,
        {
            "barmode": "stack", "bargap": 0.22, "margin": {"t": 92},
            "yaxis": {"autorange": "reversed", "type": "category", "fixedrange": True, "automargin": True},
            # room for the limit's name, also on a phone
            "xaxis": {"title": {"text": "seconds"}, "range": [0, max(sla_s * 1.2, max(took_s, default=0.0) * 1.06)]},
            "shapes": [limit_line("x", sla_s, f"SLA {seconds(sla_s)}")],
        },
        560,
    )  # fmt: skip


def _bars(mine: Sequence[Breakdown]) -> list[tuple[str, str, dict[str, float]]]:
    """Label, hover text and parts of each bar."""
    if not mine:
        return []
    ends_s = [one.file.end_to_end_s or 0.0 for one in mine]
    bars = [
        (f"p{rank}", f"around p{rank} ({seconds(percentile(ends_s, rank))} end to end)", breakdown.around(mine, rank))
        for rank in PERCENTILES
    ]
    bars.append((" ", "", {}))
    for number, one in enumerate(reversed(mine[-breakdown.WORST :]), start=1):
        about = f"{safe(one.file.key)}: {seconds(one.file.end_to_end_s)} end to end"
        bars.append((f"#{number} {safe(one.file.type)}", about, dict(one.parts_s)))
    return bars


def distribution(scene: Scene) -> Figure:
    """End-to-end latency by percentile, up to the maximum."""
    sla_s, traces = scene.evidence.facts.sla_s, list[Trace]()
    for group in (ALL, *scene.types):
        values = [
            one.file.end_to_end_s or 0.0 for one in scene.breakdowns if group in (ALL, one.file.type)
        ]  # fmt: skip
        rarer, latencies = series.quantiles(values)
        traces.append(
            trace(
                "scatter", "all types" if group == ALL else group, (ALL,) if group == ALL else (ALL, group),
                mode="lines", x=rarer, y=latencies,
                customdata=[f"{(1 - 1 / times) * 100:.4g}" for times in rarer],
                hovertemplate=f"{'all types' if group == ALL else safe(group)}: %{{customdata}} % of the files took at "
                "most %{y} s<extra></extra>",
                line={"color": ALL_COLOUR if group == ALL else scene.colour(group), "width": 3 if group == ALL else 1.8,
                      "shape": "hv"},
            )
        )  # fmt: skip
    ends_s = [one.file.end_to_end_s or 0.0 for one in scene.breakdowns]
    said = ", ".join(f"p{rank} {seconds(percentile(ends_s, rank))}" for rank in PERCENTILES) if ends_s else ""
    ticks = [10**power for power in range(len(str(max(len(ends_s), 1))))]
    return Figure(
        "distribution",
        "How slow are the slow ones?",
        f"{said}, maximum {seconds(ends_s[-1])}." if ends_s else "No file reached a final table.",
        "Latency by percentile: further right are ever fewer, ever slower files; the line ends at the slowest.",
        traces,
        {
            "xaxis": {
                "type": "log", "title": {"text": "share of the files"}, "tickvals": [*ticks, 2],
                "ticktext": [*(f"{100 - 100 / tick:.4g} %" if tick > 1 else "fastest" for tick in ticks), "50 %"],
            },
            "yaxis": {"title": {"text": "seconds"}, "range": [0, max([sla_s, *ends_s]) * 1.08]},
            "shapes": [limit_line("y", sla_s, f"SLA {seconds(sla_s)}")],
        },
    )  # fmt: skip

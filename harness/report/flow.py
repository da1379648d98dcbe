"""The charts of the load itself: what was offered and completed, and how punctual the harness was.

In: a scene. Out: a figure each.
"""

from harness.checks import START_LAG_P99_FLOOR_S, START_LAG_P99_SHARE_OF_SLA
from harness.report import series
from harness.report.scene import ALL, ALL_COLOUR, PART_COLOURS, Figure, Scene, Trace, limit_line, shades, trace
from harness.report.words import seconds, several
from harness.statistics import percentile

STYLES = {
    "due": {"color": ALL_COLOUR, "dash": "dot"},
    "uploaded": {"color": PART_COLOURS["notify"], "dash": "dash"},
    "staged": {"color": PART_COLOURS["phase:copy"], "dash": "dashdot"},
    "merged": {"color": PART_COLOURS["merge"], "dash": "solid"},
}


def arrivals(scene: Scene) -> Figure:
    """How many files were due, uploaded, staged and merged by when."""
    traces, reached = list[Trace](), dict[str, int]()
    for group in (ALL, *scene.types):
        files = scene.files(group)
        times = {
            "due": [file.intended_s for file in files],
            "uploaded": [file.acknowledged_s for file in files],
            "staged": [file.committed_s for file in files],
            "merged": [file.merged_s for file in files],
        }
        for stage, at_s in times.items():
            seen = [one - scene.origin_s for one in at_s if one is not None]
            reached.setdefault(stage, len(seen))
            x, y = series.cumulative(seen)
            traces.append(
                trace(
                    "scatter", stage, (group,), mode="lines", x=x, y=y,
                    hovertemplate=f"%{{y}} {stage} by %{{x}} s<extra></extra>",
                    line={"shape": "hv", "width": 2, **STYLES[stage]},
                )
            )  # fmt: skip
    return Figure(
        "arrivals",
        "Arrivals offered and completed",
        f"{several(reached['due'], 'file')} were due: {reached['uploaded']:,} uploaded, {reached['staged']:,} staged, "
        f"{reached['merged']:,} merged.",
        "The gap between two lines is what was on its way between them; merged files come in steps, one a merge run.",
        traces,
        {
            "xaxis": {"title": {"text": "seconds into the load"}, "range": scene.run_range},
            "yaxis": {"title": {"text": "files"}, "rangemode": "tozero"},
            "shapes": shades(scene),
        },
    )


def start_lag(scene: Scene) -> Figure:
    """How late the harness itself was."""
    limit_s = max(START_LAG_P99_FLOOR_S, scene.evidence.facts.sla_s * START_LAG_P99_SHARE_OF_SLA)
    lags = [(file.intended_s - scene.origin_s, file.start_lag_s * 1000) for file in scene.evidence.files
            if file.intended_s is not None and file.start_lag_s is not None]  # fmt: skip
    x, y = series.peaks([round(at_s, 2) for at_s, _ in lags], [round(lag_ms, 2) for _, lag_ms in lags])
    return Figure(
        "start_lag",
        "Start lag",
        f"Uploads began {seconds(percentile([lag for _, lag in lags], 99) / 1000)} late at p99; "
        f"{seconds(limit_s)} are tolerated."
        if lags
        else "No upload began.",
        "How much later than intended the harness began each upload. Latencies count from the intended time, so a "
        "harness that cannot keep up is seen, not hidden.",
        [
            trace(
                "scatter", "start lag", (ALL, *scene.types), mode="markers", x=x, y=y, marker={"color": ALL_COLOUR,
                "size": 5}, hovertemplate="due at %{x} s · began %{y} ms late<extra></extra>", showlegend=False,
            )
        ],
        {
            "xaxis": {"title": {"text": "due, seconds into the load"}, "range": scene.load_range},
            "yaxis": {"title": {"text": "milliseconds"}, "range": [0, max([limit_s * 1000, *y]) * 1.15]},
            "shapes": [limit_line("y", limit_s * 1000, f"limit for p99: {seconds(limit_s)}")],
        },
        260,
    )  # fmt: skip

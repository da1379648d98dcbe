"""What the charts of a report share: the run's time and colours, the shape of a figure, and how text gets into one.

In: the evidence of a run. Out: a `Scene` to draw from, and the `Figure`s' common parts: plotly traces and layouts
without the colours of ink and paper, which the page adds. Each trace names the choices of the page's type filter under
which it is seen. Text from the run is escaped here, because plotly reads `<…>` in hover texts and labels as markup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from harness.checks import Evidence
from harness.history import FileHistory
from harness.report import series
from harness.report.breakdown import Breakdown
from harness.report.words import one_line, writable

Trace = dict[str, Any]
ALL = "all"

# Distinct for the colour-blind, and on light and dark paper.
TYPE_COLOURS = ("#2b7de0", "#e0851b", "#1a9c7b", "#b65bc4", "#c9a400", "#7a86d6", "#d1587a", "#5f9e3b")
PART_COLOURS = {
    "start_lag": "#8b95a1", "upload": "#aab4bf", "notify": "#c9a400", "queue": "#e0851b", "retries": "#d64545",
    "cold_start": "#b65bc4", "phase:read": "#bfe6d9", "phase:check": "#8fd3bd", "phase:connect": "#5bbd9e",
    "phase:lock_wait": "#c2577e", "phase:copy": "#169174", "init_again": "#8e4a9b",
    "handler_rest": "#5b7f76", "merge_wait": "#9cc3f5",
    "merge": "#2b7de0", "batch_wait": "#e0851b", "batch_retries": "#d64545", "batch": "#169174",
}  # fmt: skip
OTHER_PART_COLOUR = "#7a86d6"
MERGE_SHADE, FAULT_SHADE = "rgba(43,125,224,0.13)", "rgba(214,69,69,0.16)"
LIMIT_COLOUR, ALL_COLOUR = "#d64545", "#808a96"
SHADE_FONT = {"size": 11, "color": LIMIT_COLOUR}
SHADED_MERGES_MAX = 300


@dataclass(frozen=True)
class Figure:
    """`summary` is a sentence of what is to be seen, `reading` of how to read the chart."""

    name: str
    title: str
    summary: str
    reading: str
    traces: Sequence[Trace]
    layout: dict[str, Any]
    height_px: int = 380


@dataclass(frozen=True)
class Scene:
    """What all charts of a run share. Times are seconds since the start of the load.

    `now_s` is given for a run that is going on: what is not in a final table may still get there.
    """

    evidence: Evidence
    origin_s: float
    end_s: float
    breakdowns: Sequence[Breakdown]
    now_s: float | None = None

    @property
    def types(self) -> tuple[str, ...]:
        return self.evidence.facts.types

    @property
    def load_range(self) -> list[float]:
        """Of an axis over the intended times."""
        last_s = max((file.at_s for file in self.evidence.files), default=0.0)
        return [-0.01 * last_s, 1.02 * last_s + 0.1]

    @property
    def way_range(self) -> list[float]:
        """The same up to the merge that took the last file, so that merge runs are seen behind the files they took."""
        merged_s = [file.merged_s - self.origin_s for file in self.evidence.files if file.merged_s is not None]
        return [self.load_range[0], max([self.load_range[1], *(1.02 * at_s for at_s in merged_s)])]

    @property
    def run_range(self) -> list[float]:
        """Of an axis over the whole run."""
        return [0.0, self.end_s + 0.1]

    def colour(self, name: str) -> str:
        return TYPE_COLOURS[self.types.index(name) % len(TYPE_COLOURS)]

    def files(self, group: str) -> list[FileHistory]:
        return [file for file in self.evidence.files if group in (ALL, file.type)]


def safe(text: str) -> str:
    """Text from the run, as plotly shows it and does not obey it."""
    return escape(one_line(writable(text)), quote=False)


def trace(kind: str, name: str, groups: Sequence[str], **fields: Any) -> Trace:
    """One plotly trace, seen when the type filter is at one of `groups`."""
    return {"type": kind, "name": safe(name), "meta": {"groups": list(groups)}} | fields


def shades(scene: Scene) -> list[dict[str, Any]]:
    """Merge runs and fault windows as stretches behind a chart over time."""
    history = scene.evidence.history
    merges = series.merge_windows(history, scene.origin_s)
    merges = merges if len(merges) <= SHADED_MERGES_MAX else []
    faults = series.fault_windows(history, scene.origin_s)
    return [
        _shade(window, MERGE_SHADE) for window in merges
    ] + [
        _shade(window, FAULT_SHADE)
        | {"label": {"text": safe(window.name), "textposition": "top left", "font": SHADE_FONT}}
        for window in faults
    ]  # fmt: skip


def _shade(window: series.Window, colour: str) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": round(window.from_s, 3), "x1": round(window.to_s, 3),
        "y0": 0, "y1": 1, "fillcolor": colour, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def limit_line(axis: str, at: float, text: str) -> dict[str, Any]:
    """A dashed line across the chart at a limit of one axis."""
    other = "y" if axis == "x" else "x"
    return {
        "type": "line", f"{axis}0": at, f"{axis}1": at, f"{other}0": 0, f"{other}1": 1, f"{axis}ref": axis,
        f"{other}ref": "paper", "line": {"color": LIMIT_COLOUR, "width": 1.5, "dash": "dash"},
        "label": {"text": text, "textposition": "end", "font": SHADE_FONT, "textangle": 0}
        | ({"xanchor": "right", "yanchor": "bottom"} if axis == "y" else {"xanchor": "left", "yanchor": "top"}),
    }  # fmt: skip

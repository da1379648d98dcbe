"""Time series small enough to draw: counts over time, executions at once, fault windows.

In: a history or plain times. Out: pairs of lists (seconds since the start of the load, value), thinned so that a run
of many hours still fits in a report; what is thinned keeps its peaks.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.history import History

POINTS_MAX = 500

Points = tuple[list[float], list[float]]


@dataclass(frozen=True)
class Window:
    """A stretch of time with a name, in seconds since the start of the load."""

    name: str
    from_s: float
    to_s: float


def cumulative(times_s: Iterable[float], points_max: int = POINTS_MAX) -> Points:
    """How many had happened by when; the first and the last are always there."""
    ordered = sorted(times_s)
    step = max(1, math.ceil(len(ordered) / points_max))
    ranks = sorted({*range(0, len(ordered), step), len(ordered) - 1} - {-1})
    return [round(ordered[rank], 3) for rank in ranks], [float(rank + 1) for rank in ranks]


def at_once(intervals_s: Iterable[tuple[float, float]]) -> Points:
    """How many intervals were open at a time, as a step line."""
    changes = sorted(
        (at_s, change) for start_s, end_s in intervals_s for at_s, change in ((start_s, 1), (max(start_s, end_s), -1))
    )
    times, values, open_now = list[float](), list[float](), 0
    for at_s, change in changes:
        open_now += change
        times.append(round(at_s, 3))
        values.append(float(open_now))
    return peaks(times, values)


def peaks(times_s: Sequence[float], values: Sequence[float], points_max: int = POINTS_MAX) -> Points:
    """The series cut into stretches of equally many points, of each of which the highest is kept."""
    if len(times_s) <= points_max:
        return list(times_s), list(values)
    size = math.ceil(len(times_s) / (points_max - 1))
    kept = [
        max(range(first, min(first + size, len(times_s))), key=values.__getitem__)
        for first in range(0, len(times_s), size)
    ]
    kept = sorted({*kept, len(times_s) - 1})
    return [times_s[index] for index in kept], [values[index] for index in kept]


def quantiles(values: Iterable[float], points_max: int = 200) -> tuple[list[float], list[float]]:
    """For a percentile plot: how many times rarer than any value (1, 10 for the slowest tenth …), and the value.

    The last point is the maximum. Ranks are spaced so that the rare end keeps every value.
    """
    ordered = sorted(values)
    size = len(ordered)
    if not size:
        return [], []
    spaced = {size - round(size ** (step / points_max)) for step in range(points_max + 1)}
    ranks = sorted({0, *(rank for rank in spaced if 0 <= rank < size)})
    return [round(size / (size - rank), 4) for rank in ranks], [round(ordered[rank], 4) for rank in ranks]


def end_s(history: History, origin_s: float) -> float:
    """When the last thing was seen, in seconds since the start of the load."""
    seen = [event["at_s"] for event in (*history.samples, *history.faults)]
    seen += [merge.ended_s for merge in history.merges]
    seen += [file.intended_s for file in history.files.values() if file.intended_s is not None]
    return max(seen, default=origin_s) - origin_s


def fault_windows(history: History, origin_s: float) -> list[Window]:
    """From each injection to its healing, or to the last thing seen."""
    ended_s = end_s(history, origin_s)
    windows, open_since = list[Window](), dict[str, float]()
    for event in history.faults:
        at_s = event["at_s"] - origin_s
        if event["action"] == "inject":
            open_since.setdefault(event["name"], at_s)
        elif event["name"] in open_since:
            windows.append(Window(event["name"], open_since.pop(event["name"]), at_s))
    return windows + [Window(name, from_s, max(from_s, ended_s)) for name, from_s in open_since.items()]


def merge_windows(history: History, origin_s: float) -> list[Window]:
    """The runs of the merge job."""
    return [
        Window(f"merge run {merge.number}", merge.started_s - origin_s, merge.ended_s - origin_s)
        for merge in history.merges
    ]

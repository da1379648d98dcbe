"""The chart of what waited where: queues, executions and stage tables over time, one panel below the other.

In: a scene. Out: one figure whose panels share their time axis, so that a jam can be followed from one to the next.
"""

from collections.abc import Callable
from typing import Any

from harness.ledger import Event
from harness.report import series
from harness.report.scene import ALL, ALL_COLOUR, Figure, Scene, Trace, safe, shades
from harness.report.words import count, of_several, seconds

GAP_SHARE = 0.055
WHOLE_TICKS_MAX = 5


def what_waited(scene: Scene) -> Figure:
    """A panel for each thing that was measured; where nothing was, the first panel stays empty."""
    panels = [
        ("files waiting for their first invocation", _waiting(scene)),
        ("messages waiting", _queue(scene, "visible")),
        ("messages in flight", _queue(scene, "in_flight")),
        ("age of the oldest file not queryable yet, s", _oldest(scene)),
        ("executions at once", _executions(scene)),
        ("execution environments in use", _environments(scene)),
        ("rows in stage tables", _stage_rows(scene)),
    ]
    drawn = [(title, traces) for title, traces in panels if any(trace["x"] for trace in traces)] or panels[:1]
    traces, layout = list[Trace](), dict[str, Any](annotations=[])
    share = (1 - GAP_SHARE * (len(drawn) - 1)) / len(drawn)
    for number, (title, mine) in enumerate(drawn, start=1):
        top = 1 - (number - 1) * (share + GAP_SHARE)
        axis = "y" if number == 1 else f"y{number}"
        layout[axis.replace("y", "yaxis")] = _whole_ticks(mine) | {
            "domain": [max(0.0, top - share), top],
            "rangemode": "tozero",
        }
        layout["annotations"].append(
            {"text": title, "xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left", "yanchor": "bottom",
             "showarrow": False, "font": {"size": 12}}
        )  # fmt: skip
        traces += [trace | {"yaxis": axis, "showlegend": number == 1} for trace in mine]
    layout["xaxis"] = {
        "title": {"text": "seconds into the load"},
        "anchor": f"y{len(drawn)}" if len(drawn) > 1 else "y",
        "range": scene.run_range,
    }
    layout["legend"], layout["margin"] = {"y": 1 + GAP_SHARE * 0.8}, {"t": 92}
    layout["shapes"] = shades(scene)
    return Figure(
        "waiting",
        "What waited where",
        _summary(scene),
        "A stage that is too slow shows as a hill in what waits before it. Queues and stage tables were looked at "
        "every two seconds, so what waits for less can be missed; invocations are exact. A file's age counts from its "
        "intended time until it is queryable, so between two merge runs it climbs in every healthy run.",
        traces,
        layout,
        180 * len(drawn) + 60,
    )


def _whole_ticks(traces: list[Trace]) -> dict[str, Any]:
    """There is no half message or execution."""
    highest = max((value for trace in traces for value in trace["y"]), default=0)
    return {"dtick": 1} if highest <= WHOLE_TICKS_MAX else {"nticks": 5}


def _summary(scene: Scene) -> str:
    samples = scene.evidence.history.samples
    everyone = [interval for name in scene.types for interval in _waits(scene, name)]
    most = max(series.at_once(everyone)[1], default=0.0)
    if not samples:
        return "The queues were not sampled."
    oldest = max((sample["oldest_age_s"] or 0.0 for sample in samples), default=0.0)
    rows = max(sum((sample.get("stage_rows") or {}).values()) for sample in samples)
    return (
        f"At most {of_several(most, 'file')} waited at once for their first invocation, and the stage tables held up "
        f"to {count(rows)} rows; the oldest file that was not queryable yet was {seconds(oldest)} old."
    )


def _line(scene: Scene, name: str, times_s: list[float], values: list[float], unit: str) -> Trace:
    x, y = series.peaks(times_s, values)
    everyone = name not in scene.types
    return {
        "type": "scatter", "mode": "lines", "name": safe(name), "legendgroup": safe(name), "x": x, "y": y,
        "meta": {"groups": [ALL, *scene.types] if everyone else [ALL, name]},
        "line": {"shape": "hv", "width": 1.6, "color": ALL_COLOUR if everyone else scene.colour(name)},
        "hovertemplate": f"{safe(name)}: %{{y}} {unit} at %{{x}} s<extra></extra>",
    }  # fmt: skip


def _sampled(scene: Scene, name: str, value: Callable[[Any], float | None], unit: str) -> Trace:
    points = [
        (round(sample["at_s"] - scene.origin_s, 2), found)
        for sample in scene.evidence.history.samples
        if (found := value(sample)) is not None
    ]
    return _line(scene, name, [at_s for at_s, _ in points], [found for _, found in points], unit)


def _queue(scene: Scene, what: str) -> list[Trace]:
    return [
        _sampled(scene, name, lambda sample, name=name: sample["queues"].get(name, {}).get(what), "messages")  # type: ignore[misc]
        for name in scene.types
    ]


def _waiting(scene: Scene) -> list[Trace]:
    """Exact, and also while the sampler is held up by what it looks at."""
    return [_open_at_once(scene, name, _waits(scene, name), "files") for name in scene.types]


def _waits(scene: Scene, name: str) -> list[tuple[float, float]]:
    """From message to first invocation, in epoch seconds; to the end of the run for a file that never had one."""
    ended_s = scene.origin_s + scene.end_s
    return [
        (since_s, min((attempt.start_s for attempt in file.attempts), default=max(since_s, ended_s)))
        for file in scene.files(name)
        if (since_s := file.sent_s or file.acknowledged_s) is not None
    ]


def _oldest(scene: Scene) -> list[Trace]:
    return [_sampled(scene, "oldest file", lambda sample: sample["oldest_age_s"], "s")]


def _stage_rows(scene: Scene) -> list[Trace]:
    return [
        _sampled(scene, name, lambda sample, name=name: (sample.get("stage_rows") or {}).get(name), "rows")  # type: ignore[misc]
        for name in scene.types
    ]


def _executions(scene: Scene) -> list[Trace]:
    return [
        _open_at_once(scene, name, [(one["start_s"], one["end_s"]) for one in mine], "executions")
        for name, mine in _invocations(scene).items()
    ]


def _environments(scene: Scene) -> list[Trace]:
    """An environment is in use from its first invocation to its last; when it is frozen or ended nobody says."""
    traces = []
    for name, mine in _invocations(scene).items():
        used: dict[str, tuple[float, float]] = {}
        for one in mine:
            first_s, last_s = used.get(one["environment_id"], (one["start_s"], one["end_s"]))
            used[one["environment_id"]] = min(first_s, one["start_s"]), max(last_s, one["end_s"])
        traces.append(_open_at_once(scene, name, list(used.values()), "environments"))
    return traces


def _invocations(scene: Scene) -> dict[str, list[Event]]:
    """Of each type; an invocation belongs to the type of the files it got."""
    history = scene.evidence.history
    found: dict[str, list[Event]] = {name: [] for name in scene.types}
    for event in history.invocations:
        keys = [key for message in event["messages"] for key in message["keys"] if key in history.files]
        if keys and history.files[keys[0]].type in found:
            found[history.files[keys[0]].type].append(event)
    return found


def _open_at_once(scene: Scene, name: str, intervals_s: list[tuple[float, float]], unit: str) -> Trace:
    x, y = series.at_once((start_s - scene.origin_s, end_s - scene.origin_s) for start_s, end_s in intervals_s)
    return _line(scene, name, x, y, unit)

"""`harness trend`: a history of runs, one JSON line each, and where in it something changed.

In: measured runs, to be added; a history file. Out: the same file with more lines, and the `Change`s in it. It asks
another question than `harness compare`: not whether this version is worse, but since when. It is never the only judge;
`change_points` looks a second time.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.compare import noise
from harness.compare.decide import CONFIDENCE, FALSE_ALARM, MATTERS
from harness.compare.measure import METRICS, Measured, Metric
from harness.errors import HarnessError, UsageError

SCHEMA = 1
# Fewer runs on a side say nothing of its noise.
SIDE_MIN = 4


@dataclass(frozen=True)
class Change:
    """Since which run a count or a metric is another one, and who says so. `ratio` is None for counts."""

    name: str
    since: str
    started_at: str
    worse: bool
    detail: str
    ratio: float | None
    judge: str = "harness"


def line(one: Measured, label: str) -> dict[str, Any]:
    """A run as a line of the history; `label` is the version that ran, such as a commit."""
    return {
        "schema": SCHEMA,
        "run": one.run,
        "label": label,
        "started_at": one.facts.started_at,
        "scenario": one.facts.scenario,
        "files_scheduled": one.facts.files_scheduled,
        "time_scale": one.facts.time_scale,
        "verdict": str(one.verdict),
        "problem": one.problem,
        "counts": one.counts,
        "metrics": one.metrics,
    }


def add(history: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Append lines; a run that is there already is left out.

    Raises:
        UsageError: the history cannot be read.
        HarnessError: it cannot be written.
    """
    known = {(one["run"], one["started_at"]) for one in read(history)}
    new = [one for one in lines if (one["run"], one["started_at"]) not in known]
    try:
        with history.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(one, separators=(",", ":")) + "\n" for one in new)
    except OSError as error:
        raise HarnessError(f"{history}: cannot be written: {error.strerror}") from error


def read(history: Path) -> list[dict[str, Any]]:
    """The lines of a history in the order of time; none when there is no file yet.

    Raises:
        UsageError: a line is not one of a history.
    """
    if not history.exists():
        return []
    found = []
    for number, text in enumerate(history.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            one = json.loads(text)
            known = one["schema"] == SCHEMA and {"run", "started_at", "counts", "metrics", "problem"} <= set(one)
        except (json.JSONDecodeError, KeyError, TypeError):
            known = False
        if not known:
            raise UsageError(f"{history}: line {number} is not a run of schema {SCHEMA}")
        found.append(one)
    return sorted(found, key=lambda one: str(one["started_at"]))


def changes(lines: Sequence[dict[str, Any]]) -> list[Change]:
    """Every change in a history of one scenario, in the order of time.

    Raises:
        UsageError: the runs are of different scenarios or loads.
    """
    for name in ("scenario", "files_scheduled", "time_scale"):
        if len({one[name] for one in lines}) > 1:
            values = ", ".join(sorted({str(one[name]) for one in lines}))
            raise UsageError(f"the history mixes runs whose {name} differs: {values}; keep one history for each")
    found = [*_counts(lines), *_gone(lines)]
    for metric in METRICS:
        found += _metric(metric, lines)
    return sorted(found, key=lambda one: (one.started_at, one.name))


def _counts(lines: Sequence[dict[str, Any]]) -> Iterator[Change]:
    """A count is exact: every run that has more than the one before it is told, be it one."""
    for before, after in pairwise(lines):
        for name, number in after["counts"].items():
            was = before["counts"].get(name, 0)
            if number > was:
                yield Change(name, after["run"], after["started_at"], True, f"{was:,} → {number:,}", None)


def _gone(lines: Sequence[dict[str, Any]]) -> Iterator[Change]:
    """What was measured in the run before and is not any more is told, not skipped; so is a run that cannot tell."""
    for before, after in pairwise(lines):
        lost = [name for name, value in before["metrics"].items() if value is not None]
        lost = [name for name in lost if after["metrics"].get(name) is None]
        for name in lost:
            yield Change(name, after["run"], after["started_at"], True, "not measured any more", None)
        if after["problem"] and not before["problem"]:
            yield Change("runs that can be judged", after["run"], after["started_at"], True, after["problem"], None)


def measured_in(metric: Metric, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs that measured a metric and can be judged."""
    return [one for one in lines if one["metrics"].get(metric.name) is not None and not one["problem"]]


def _metric(metric: Metric, lines: Sequence[dict[str, Any]]) -> list[Change]:
    """The surest change of a metric, and then those before and after it (binary segmentation)."""
    measured = measured_in(metric, lines)
    splits = range(SIDE_MIN, len(measured) - SIDE_MIN + 1)
    if not splits:
        return []
    least = metric.floor / 10 or 1e-9
    values = [max(float(one["metrics"][metric.name]), least) for one in measured]
    ratios = {at: noise.ratio(values[:at], values[at:], CONFIDENCE) for at in splits}
    at = min(ratios, key=lambda at: min(ratios[at].p_above, ratios[at].p_below))
    best = ratios[at]
    # any of the splits of any of the metrics could have been the surest by luck
    p = min(best.p_above, best.p_below) * 2 * len(splits) * len(METRICS)
    change = best.value - 1
    before = sum(values[:at]) / at
    if p > FALSE_ALARM or abs(change) < MATTERS or abs(change) * before < metric.floor:
        return []
    worse = (change > 0) != metric.higher_is_better
    told = f"{change:+.0%} ({before:,.4g} → {before * best.value:,.4g} {metric.unit})"
    here = Change(metric.name, measured[at]["run"], measured[at]["started_at"], worse, told, best.value)
    return [*_metric(metric, measured[:at]), here, *_metric(metric, measured[at:])]

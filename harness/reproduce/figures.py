"""What was published of the original, taken from a run.

In: the evidence of a run. Out: `Figures`. Times are in two forms: as measured, and restated for the true clock: what a
file waited for the scheduled merge times the time scale, everything else as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.checks import Evidence
from harness.history import FileHistory
from harness.run_directory import RunFacts
from harness.statistics import percentile

MINUTE_S = 60.0
PUBLISHED_FROM_S, PUBLISHED_TO_S = 15 * MINUTE_S, 20 * MINUTE_S
# What waits for a schedule, and so was compressed with it: the merge of one design, the job of the other.
SCHEDULED_WAITS = ("merge_wait", "batch_wait")


@dataclass(frozen=True)
class Spread:
    """Seconds: of the middle, of one in a hundred, of the worst."""

    p50_s: float
    p99_s: float
    worst_s: float


@dataclass(frozen=True)
class Figures:
    """One run. None where it was not measured; `available` is restated for the true clock."""

    run: str
    facts: RunFacts
    design: str
    files_per_min: float
    files: int
    records: int
    function: Spread | None
    concurrency_mean: float | None
    concurrency_max: int | None
    interval_s: float
    merge: Spread | None
    as_measured: Spread | None
    available: Spread | None
    within_15_min: float | None
    within_20_min: float | None
    late: int
    lost: int
    doubled: int
    dead_lettered: int
    batch_runs: int
    batch_failed: int


def spread(values: Sequence[float]) -> Spread | None:
    """None of nothing."""
    return Spread(percentile(values, 50), percentile(values, 99), max(values)) if values else None


def restated_s(file: FileHistory, time_scale: float) -> float | None:
    """How long the file would have taken to be queryable at the true clock; None if it never was."""
    if file.end_to_end_s is None:
        return None
    stages = file.stage_latencies_s()
    waited_s = sum(stages.get(name, 0.0) for name in SCHEDULED_WAITS)
    return file.end_to_end_s + waited_s * (time_scale - 1)


def figures_of(evidence: Evidence, run: str) -> Figures:
    """The published figures' neighbours in a run."""
    facts, history, files = evidence.facts, evidence.history, evidence.delivered
    took_s = [one["end_s"] - one["start_s"] for one in history.invocations if any(m["keys"] for m in one["messages"])]
    busy = [(one["start_s"], one["end_s"]) for one in history.invocations]
    restated = [found for file in files if (found := restated_s(file, facts.time_scale)) is not None]
    limit_s = facts.sla_s * facts.time_scale
    accounted = [file.accounted for file in files if file.accounted is not None]
    return Figures(
        run=run,
        facts=facts,
        design=facts.design,
        files_per_min=len(files) / facts.duration_s * MINUTE_S,
        files=len(files),
        records=sum(file.records for file in files),
        function=spread(took_s),
        concurrency_mean=len(files) / facts.duration_s * fmean(took_s) if took_s else None,
        concurrency_max=_most_at_once(busy) if busy else None,
        interval_s=facts.merge_every_s * facts.time_scale,
        merge=spread([merge.ended_s - merge.started_s for merge in history.merges if _did_something(merge.types)]),
        as_measured=spread([file.end_to_end_s for file in files if file.end_to_end_s is not None]),
        available=spread(restated),
        within_15_min=_share(restated, PUBLISHED_FROM_S, len(files)),
        within_20_min=_share(restated, PUBLISHED_TO_S, len(files)),
        late=sum(one > limit_s for one in restated) + len(files) - len(restated),
        lost=sum(one.missing for one in accounted),
        doubled=sum(one.duplicated for one in accounted),
        dead_lettered=sum(file.dead_letter is not None for file in files),
        batch_runs=len(history.batch_runs),
        batch_failed=sum(one["status"] != "ok" for one in history.batch_runs),
    )


def _share(values: Sequence[float], limit_s: float, of: int) -> float | None:
    return sum(value <= limit_s for value in values) / of if of else None


def _did_something(types: Iterable[dict[str, object]]) -> bool:
    return any(step["rows"] for entry in types for step in entry["rows"])  # type: ignore[attr-defined]


def _most_at_once(intervals: Sequence[tuple[float, float]]) -> int:
    changes = sorted([(start_s, 1) for start_s, _ in intervals] + [(end_s, -1) for _, end_s in intervals])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most

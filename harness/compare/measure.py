"""What is compared of a run: counts that must not rise, and metrics that are noisy.

In: a run directory, judged again from its ledger. Out: a `Measured`. What a run did not measure is None, never 0.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import catalogue
from harness.checks import Verdict, default_checks
from harness.errors import UsageError
from harness.run_directory import RunDirectory, RunFacts
from harness.verdict import STAGES, Judgement, judge_stored

# A percentile that fewer files than this lie beyond is the luck of single files.
FILES_BEYOND_PERCENTILE = 1
PERCENTILES = {"p50": 0.5, "p95": 0.05, "p99": 0.01}


@dataclass(frozen=True)
class Metric:
    """`floor` is the difference, in the metric's own unit, below which nobody cares.

    `decisive`: a comparison that cannot tell of this metric cannot tell. The others can only convict.
    """

    name: str
    unit: str
    floor: float
    higher_is_better: bool = False
    decisive: bool = False


@dataclass(frozen=True)
class Measured:
    """One run. `metrics` has every metric of `METRICS` that so few files allow, None where it was not seen.

    `late`: it failed, and for its times alone.
    """

    run: str
    path: Path
    facts: RunFacts
    verdict: Verdict
    problem: str | None
    counts: dict[str, int]
    metrics: dict[str, float | None]
    late: bool = False


# A run that fails these alone was too slow, which on a busy machine can be luck.
TIMED_CHECKS = frozenset(("end_to_end", "drained"))
COUNTS = {
    "records lost": ("records", "lost"),
    "records duplicated": ("records", "duplicated"),
    "records altered": ("records", "altered"),
    "records unexpected": ("records", "unexpected"),
    "files lost": ("files", "lost"),
    "dead letters": ("files", "dead_lettered"),
}
UPLOADED_NOT_MERGED = "files neither queryable nor dead-lettered"
MERGES_FAILED = "merge runs failed"

METRICS = (
    *(
        Metric(f"{stage} {percentile}", "s", 0.01, decisive=percentile == "p50")
        for stage in ("end_to_end", *STAGES)
        for percentile in PERCENTILES
    ),
    Metric("throughput", "files/min", 0.0, higher_is_better=True, decisive=True),
    Metric("billed time per file", "ms", 10.0),
    Metric("handler CPU per invocation", "ms", 10.0),
    Metric("handler memory", "MB", 10.0, decisive=True),
    # a model's: list prices × what was billed, invoked and logged
    Metric("cost per 1,000 files", "USD", 0.0002),
)


def runs_in(path: Path) -> list[RunDirectory]:
    """The run that is at a path, or the runs directly inside it.

    Raises:
        UsageError: there is none.
    """
    if (path / "run.json").is_file():
        return [RunDirectory(path)]
    found = sorted(inner.parent for inner in path.glob("*/run.json"))
    if not found:
        raise UsageError(f"{path}: neither a run directory nor a directory of runs")
    return [RunDirectory(inner) for inner in found]


def measure(directory: RunDirectory) -> Measured:
    """Judge a stored run again, and take from it what is compared.

    Raises:
        UsageError: it is not a run directory.
    """
    facts = directory.read_facts()
    known = facts.scenario in catalogue.names()
    judgement = judge_stored(directory, catalogue.scenario(facts.scenario).checks if known else default_checks())
    figures = judgement.to_json()
    files = figures["files"]
    counts = {name: figures[group][key] for name, (group, key) in COUNTS.items()}
    counts[UPLOADED_NOT_MERGED] = sum(not file.is_settled for file in judgement.evidence.delivered)
    counts[MERGES_FAILED] = figures["merge_runs"]["failed"]
    return Measured(
        directory.path.name, directory.path.resolve(), facts, judgement.verdict, _problem(judgement), counts,
        _latencies(figures, files["uploaded"], _seen_in_part(judgement)) | _others(figures, judgement),
        _is_late(judgement),
    )  # fmt: skip


def _is_late(judgement: Judgement) -> bool:
    failed = {one.name for one in judgement.results if one.verdict is Verdict.FAIL}
    return bool(failed) and failed <= TIMED_CHECKS


def _problem(judgement: Judgement) -> str | None:
    """Why nothing may be concluded from this run's figures, if so; also of a run that failed for another reason."""
    reasons = [f"{one.name}: {one.detail}" for one in judgement.results if one.verdict is Verdict.INCONCLUSIVE]
    if any(file.accounted is None for file in judgement.evidence.delivered):
        reasons.append("its records were not counted")
    if judgement.verdict is Verdict.INCONCLUSIVE and not reasons:
        reasons.append("nothing was checked")
    return "; ".join(reasons) or None


def _seen_in_part(judgement: Judgement) -> set[str]:
    """Stages that some files went through unseen: percentiles of the others would be those of the survivors."""
    merged = [file.stage_latencies_s() for file in judgement.evidence.files if file.merged_s is not None]
    return {stage for stage in STAGES if any(stage not in seen for seen in merged)}


def _latencies(figures: dict[str, Any], files: int, in_part: set[str]) -> dict[str, float | None]:
    latency_s = {"end_to_end": figures["latency_s"]["end_to_end"], **figures["latency_s"]["stages"]}
    judged = [name for name, share in PERCENTILES.items() if math.floor(files * share) >= FILES_BEYOND_PERCENTILE]
    # p50 is always there, so that a run without files misses it rather than has nothing to be asked
    names = dict.fromkeys(("p50", *judged))
    return {
        f"{stage} {name}": found[name] if found and stage not in in_part else None
        for stage, found in latency_s.items()
        for name in names
    }


def _others(figures: dict[str, Any], judgement: Judgement) -> dict[str, float | None]:
    invocations = [one for one in judgement.evidence.history.invocations if any(m["keys"] for m in one["messages"])]
    files = len(judgement.evidence.delivered)
    billed_ms = sum(math.ceil(one["duration_ms"] + (one.get("init_ms") or 0.0)) for one in invocations)
    cpu_ms = [one["cpu_ms"] for one in invocations if one.get("cpu_ms") is not None]
    memory_mb = [one["max_memory_mb"] for one in invocations if one.get("max_memory_mb") is not None]
    return {
        "throughput": figures["throughput"]["files_per_min"],
        "billed time per file": billed_ms / files if files and invocations else None,
        "handler CPU per invocation": sum(cpu_ms) / len(cpu_ms) if cpu_ms else None,
        "handler memory": float(max(memory_mb)) if memory_mb else None,
        "cost per 1,000 files": figures["cost"]["usd_per_1000_files"] if figures["cost"] else None,
    }

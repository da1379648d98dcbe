"""Does the whole pipeline hold a rate: one run, judged, with the CPU it took by component.

In: a pipeline, a rate, a duration. Out: a run directory as any run leaves, and a `Held`: what it offered, whether the
backlog grew, how long files took, and what a file cost where. The floor it is compared with is `bench.floor`'s.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from statistics import mean
from typing import Any

import numpy as np
from rich.console import Console

from generators.arrivals import constant
from harness import checks
from harness.bench import cpu
from harness.command_run import facts_of, record
from harness.history import History
from harness.merge import read_job
from harness.pipeline import Pipeline
from harness.plan import plan
from harness.progress import Progress
from harness.run import RunRequest
from harness.run_directory import RunDirectory
from harness.scenario import Scenario, Workload
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from harness.statistics import summary
from harness.timing import scaled
from harness.verdict import Judgement, judge_stored

MERGE_EVERY_S = 15.0
END_TO_END_P99_S = 45.0
LOAD_SHARE_MAX = 0.10
START_LAG_P99_MS = 50.0
# Made before the first upload, if there are no more: about 4 GB on disk. What is measured is the pipeline.
AHEAD_FILES_MAX = 6_000
# A backlog may wander by what arrives in so many seconds before it counts as growing.
BACKLOG_MARGIN_S = 5.0


@dataclass(frozen=True)
class Offer:
    """What to offer. warm_s: so long after the first upload the CPU of files begins to count, when environments have
    started. windows: into how many the time from then to the last upload is divided, for a cost of a file in each."""

    rate_per_min: float
    duration_s: float
    records: int | None
    seed: int = 1
    warm_s: float = 0.0
    windows: int = 1


@dataclass(frozen=True)
class Held:
    """What came of it. `cpu_ms_per_file` is by component and `cores_used` in all, from the first upload (or `warm_s`
    later, as are `cold_starts`) to drained; `cpu_ms_per_file_by_window` leaves out the draining; `making_ms_per_file`
    is what the generator took for a file, most of it before that."""

    rate_per_min: float
    duration_s: float
    verdict: str
    files: dict[str, int]
    loaded_per_min: float
    backlog_files: dict[str, float]
    end_to_end_s: dict[str, float] | None
    start_lag_ms: dict[str, float] | None
    cold_starts: int
    cpu_ms_per_file: dict[str, float]
    cpu_ms_per_file_by_window: tuple[dict[str, float], ...]
    cores_used: float
    load_share: float
    making_ms_per_file: float
    checks: dict[str, str]
    run: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in the benchmark's JSON."""
        return asdict(self)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _request(pipeline: Pipeline, offer: Offer) -> RunRequest:
    scenario = Scenario(
        name="bench_throughput",
        question=f"Does the pipeline hold {offer.rate_per_min:g} files a minute on this machine?",
        workload=Workload(constant(offer.rate_per_min), offer.records),
        duration_s=offer.duration_s,
        # not the slowest file but p99, which is judged below
        checks=tuple(check for check in checks.default_checks() if check.name != "end_to_end"),
    )
    timing = scaled(pipeline, pipeline.merge.every_s / MERGE_EVERY_S)
    return RunRequest(
        scenario=scenario,
        pipeline=pipeline,
        timing=replace(timing, sla_s=END_TO_END_P99_S, merge_every_s=MERGE_EVERY_S),
        schedule=plan(scenario, pipeline, offer.seed, None, whole=False),
        merge_job=read_job(pipeline),
        seed=offer.seed,
        before_judging=None,
        ahead_files=AHEAD_FILES_MAX,
    )


def run(
    pipeline: Pipeline,
    offer: Offer,
    directory: RunDirectory,
    poller: str = "aws",
    watching: Callable[[Endpoints], AbstractContextManager[None]] | None = None,
) -> Held:
    """Offer it to a stack of its own and judge; `poller` "stock" leaves LocalStack's own in place.

    `watching` is entered while the run goes on.

    Raises:
        HarnessError: the harness itself failed.
    """
    request = _request(pipeline, offer)
    facts = facts_of(request, "embedded")
    directory.write_facts(facts)
    # beside the run, not in it: the emulator of a stack writes it, and it says nothing without the process's own count
    cpu_file = (directory.path / "emulator-cpu.json").resolve()
    progress = Progress(Console(stderr=True))
    progress.phase(f"starting a stack to offer {offer.rate_per_min:g} files a minute for {offer.duration_s:g} s")
    with (
        _environment(NRT_CPU_FILE=str(cpu_file), NRT_SQS_POLLER=poller),
        embedded(directory.logs) as endpoints,
        cpu.metering(endpoints, cpu_file) as meter,
        watching(endpoints) if watching else nullcontext(),
    ):
        record(request, facts, directory, progress, endpoints)
    return _held(offer, judge_stored(directory, request.scenario.checks), meter, directory)


def _held(offer: Offer, judgement: Judgement, meter: cpu.Meter, directory: RunDirectory) -> Held:
    history = judgement.evidence.history
    start_s = history.start_at_s or 0.0
    files = list(history.files.values())
    loaded = [file.success.end_s for file in files if file.success]
    merged = [file.merged_s for file in files if file.merged_s is not None]
    warm_s = start_s + offer.warm_s
    last_s = max([*loaded, *merged], default=warm_s)
    per_file = cpu_ms_per_file(meter, loaded, warm_s, last_s)
    bounds = np.linspace(warm_s, start_s + offer.duration_s, offer.windows + 1).tolist()
    made = sum(file.made_s is not None for file in files)
    total_ms = sum(per_file.values())
    verdict = judgement.to_json()
    end_to_end = [file.end_to_end_s for file in files if file.end_to_end_s is not None]
    within = sum(start_s <= end_s <= start_s + offer.duration_s for end_s in loaded)
    return Held(
        rate_per_min=offer.rate_per_min,
        duration_s=offer.duration_s,
        verdict=str(judgement.verdict),
        files=verdict["files"],
        loaded_per_min=round(within / offer.duration_s * 60, 1),
        backlog_files=backlog(history, offer),
        end_to_end_s=summary(end_to_end),
        start_lag_ms=verdict["offered"]["start_lag_ms"],
        cold_starts=sum(bool(event["cold"]) and event["end_s"] >= warm_s for event in history.invocations),
        cpu_ms_per_file=per_file,
        cpu_ms_per_file_by_window=tuple(cpu_ms_per_file(meter, loaded, *window) for window in pairwise(bounds)),
        cores_used=round(sum(meter.between(warm_s, last_s).values()) / max(1e-9, last_s - warm_s), 2),
        making_ms_per_file=round(meter.most(cpu.GENERATOR) / max(1, made) * 1000, 2),
        load_share=round(sum(per_file.get(name, 0.0) for name in cpu.LOAD_AND_PROBES) / total_ms, 3)
        if total_ms
        else 0.0,
        checks={result.name: f"{result.verdict}: {result.detail}" for result in judgement.results},
        run=str(directory.path),
    )


def cpu_ms_per_file(meter: cpu.Meter, loaded: Sequence[float], from_s: float, to_s: float) -> dict[str, float]:
    """By component, of the files loaded between two moments."""
    count = max(1, sum(from_s <= end_s <= to_s for end_s in loaded))
    return {name: round(seconds / count * 1000, 2) for name, seconds in sorted(meter.between(from_s, to_s).items())}


def backlog(history: History, offer: Offer) -> dict[str, float]:
    """Files uploaded but not loaded yet: the mean of the middle and of the last third of the time, and the most.

    Counted from every file's own stamps at each second, not from what queues say of themselves.
    """
    start_s = history.start_at_s
    if start_s is None:
        return {}
    uploaded = sorted(file.acknowledged_s for file in history.files.values() if file.acknowledged_s is not None)
    loaded = sorted(file.success.end_s for file in history.files.values() if file.success)
    waiting = []
    for second in range(int(offer.duration_s)):
        at_s = start_s + second + 1
        waiting.append(sum(stamp <= at_s for stamp in uploaded) - sum(stamp <= at_s for stamp in loaded))
    third = len(waiting) // 3
    if not third:
        return {}
    return {
        "middle_third": round(mean(waiting[third : 2 * third]), 1),
        "last_third": round(mean(waiting[2 * third :]), 1),
        "most": float(max(waiting)),
    }


def verdict_of(held: Held) -> tuple[checks.Verdict, tuple[str, ...]]:
    """The run's own verdict, and what this benchmark asks besides: the worst counts, each with its reason."""
    verdict = checks.Verdict(held.verdict)
    reasons = [f"{name} {text}" for name, text in held.checks.items() if not text.startswith("pass")]
    failed = []
    margin = BACKLOG_MARGIN_S * held.rate_per_min / 60
    if not held.backlog_files:
        return checks.Verdict.INCONCLUSIVE, (*reasons, "too short a run to say whether the backlog grows")
    if held.backlog_files["last_third"] > held.backlog_files["middle_third"] + margin:
        failed.append(f"the backlog grows: {held.backlog_files}")
    if held.end_to_end_s is None:
        failed.append("no file got to the final tables")
    elif held.end_to_end_s["p99"] >= END_TO_END_P99_S:
        failed.append(f"end to end took {held.end_to_end_s['p99']:.1f} s at p99, {END_TO_END_P99_S:g} s are allowed")
    if verdict is checks.Verdict.PASS and failed:
        verdict = checks.Verdict.FAIL
    return verdict, (*reasons, *failed)

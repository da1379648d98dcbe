"""A trial: one scenario, run on a shared stack with a small pipeline of one data type, and its judgement.

In: a pipeline, perhaps another merge, a scenario's name. Out: the `Judgement` that `harness run` would give. Files are
small and few and the merge runs every two seconds, so that a trial takes seconds; no limit depends on the machine.
"""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from harness import catalogue, command_run
from harness import pipeline as pipelines
from harness.merge import read_job
from harness.pipeline import FunctionSettings, MergeSettings, Pipeline, QueueSettings
from harness.plan import plan, with_overrides
from harness.progress import Progress
from harness.run import RunRequest
from harness.run_directory import create
from harness.stack.endpoints import Endpoints
from harness.timing import scaled
from harness.verdict import Judgement, judge_stored

ROOT = Path(__file__).resolve().parents[2]
TYPE = "orders"
TIME_SCALE = 60.0
FILES, RECORDS = 8, 200
DURATION_S, FAULTY_DURATION_S = 2.0, 6.0
# What grows shows after many invocations only; half a message fails, and versions change places, now and then only.
FILES_OF = {"soak": 48, "half_failed_messages": 32, "out_of_order": 24}
# Long enough for an invocation on a busy machine; a failed message comes back after it.
FUNCTION_TIMEOUT_S = 10
# Scenarios whose faults would do nothing, or too much, in the few seconds of a trial: retries of seconds, restarts. A
# trial of one takes its own time.
AS_THEY_ARE = frozenset(
    ("emulator_restart", "network_faults", "queue_errors", "s3_errors", "warehouse_restart", "warehouse_slow")
)


def small_pipeline(**settings: Any) -> Pipeline:
    """The default pipeline's orders, merged every two seconds; `settings` change it further."""
    whole = pipelines.load(ROOT / "pipeline.toml")
    base: dict[str, dict[str, Any]] = {
        "function": {"timeout_s": FUNCTION_TIMEOUT_S, "worst_case_s": 1.0, "memory_mb": 1024},
        "queue": {"visibility_timeout_s": FUNCTION_TIMEOUT_S, "max_receive_count": 2, "maximum_concurrency": 2},
        "merge": {"every_s": 2 * TIME_SCALE, "sql": whole.merge.sql},
        # A verdict is to rest on what the pipeline does, not on how busy this machine is.
        "pipeline": {"name": "mutants", "sla_s": 120 * TIME_SCALE, "types": {TYPE: whole.types[TYPE]}},
    }
    merged = {section: values | settings.get(section, {}) for section, values in base.items()}
    return whole.model_copy(
        update=merged["pipeline"]
        | {
            "function": FunctionSettings(**merged["function"]),
            "queue": QueueSettings(**merged["queue"]),
            "merge": MergeSettings(**merged["merge"]),
        }
    )


def run_trial(name: str, pipeline: Pipeline, endpoints: Endpoints, directory: Path, seed: int = 1) -> Judgement:
    """Run a scenario small and judge it by its own checks."""
    scenario = catalogue.scenario(name)
    duration_s = FAULTY_DURATION_S if scenario.faults else DURATION_S
    if name in AS_THEY_ARE:
        duration_s = scenario.duration_s
    faults = tuple(
        replace(
            timed,
            at_s=timed.at_s * duration_s / scenario.duration_s,
            for_s=timed.for_s and timed.for_s * duration_s / scenario.duration_s,
        )
        for timed in scenario.faults
    )
    files = FILES_OF.get(name, FILES)
    if not scenario.faults:  # those are over by the time that a message comes back
        duration_s *= files / FILES
    scenario = with_overrides(scenario, files / duration_s * 60, duration_s, RECORDS)
    scenario = replace(scenario, drain_within_s=60 * TIME_SCALE, faults=faults)
    request = RunRequest(
        scenario=scenario, pipeline=pipeline, timing=scaled(pipeline, TIME_SCALE),
        schedule=plan(scenario, pipeline, seed, None, whole=False), merge_job=read_job(pipeline), seed=seed,
        before_judging=None,
    )  # fmt: skip
    run = create(directory, name)
    request = command_run.shaped(request, run)
    facts = command_run.facts_of(request, "embedded")
    run.write_facts(facts)
    progress = Progress(Console(file=io.StringIO()))
    command_run.record(request, facts, run, progress, endpoints)
    return judge_stored(run, scenario.checks)

"""`harness run capacity`: one run after the other, each on a stack of its own, until the highest rate is known.

The directory holds the run at the highest rate that held (or at the lowest, when none did), as any run's does, every
run below `steps/`, and `capacity.json`; verdict.json has the same under `capacity`.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from harness import capacity, interruption, local_stack, saturation
from harness.capacity import Found, Step
from harness.checks import Verdict
from harness.cli.options import print_json
from harness.command_run import facts_of, judged, record, shaped
from harness.errors import ExitCode, UsageError
from harness.plan import plan, with_overrides
from harness.progress import Progress
from harness.run import RunRequest
from harness.run_directory import RunDirectory, create
from harness.scenario import Search
from harness.verdict import Judgement
from harness.verdict_text import verdict_text

NAME = "capacity.json"


def find_capacity(request: RunRequest, search: Search, out: Path | None, stack: str, *, as_json: bool) -> int:
    """Search and tell; returns the exit code of the run that is the answer.

    Raises:
        UsageError: a stack is up, or is not to be the embedded one: what one rate left on it would burden the next.
        HarnessError: the harness itself failed.
    """
    if stack != "embedded" or local_stack.running() is not None:
        raise UsageError("capacity needs a new stack for each rate: `harness down`, and --stack embedded")
    whole = create(out, request.scenario.name)
    progress = Progress(Console(stderr=True))

    def run(files_per_min: float) -> Step:
        progress.phase(f"capacity: trying {files_per_min:g} files a minute")
        step = _step(request, files_per_min, whole, progress)
        progress.phase(
            f"capacity: {files_per_min:g} files a minute: {step.verdict}" + (f", {step.why}" * bool(step.why))
        )
        return step

    with interruption.raises():
        found = capacity.search(search, run)
    answer = found.held or found.steps[0]
    shutil.copytree(whole.path / answer.directory, whole.path, dirs_exist_ok=True)
    judgement = judged(whole, request.scenario.checks)
    _tell(whole, found, judgement, as_json=as_json)
    return judgement.exit_code


def _step(request: RunRequest, files_per_min: float, whole: RunDirectory, progress: Progress) -> Step:
    name = f"steps/{files_per_min:g}-per-min"
    scenario = with_overrides(request.scenario, files_per_min, None, None)
    schedule = plan(scenario, request.pipeline, request.seed, None, whole=False)
    directory = create(whole.path / name, scenario.name)
    at_rate = shaped(replace(request, scenario=scenario, schedule=schedule), directory)
    facts = facts_of(at_rate, "embedded")
    directory.write_facts(facts)
    record(at_rate, facts, directory, progress)
    judgement = judged(directory, scenario.checks)
    if judgement.evidence.history.interrupted:
        click.echo(verdict_text(judgement))
        raise SystemExit(ExitCode.INCONCLUSIVE)
    concurrency = {name: request.pipeline.queue_of(name).maximum_concurrency for name in request.pipeline.types}
    passed = judgement.verdict is Verdict.PASS
    why = "" if passed else next(one.detail for one in judgement.results if one.verdict is judgement.verdict)
    saturated = "" if passed else saturation.saturated(judgement.evidence, concurrency)
    return Step(files_per_min, judgement.verdict, why, saturated, name)


def _tell(whole: RunDirectory, found: Found, judgement: Judgement, *, as_json: bool) -> None:
    answer = judgement.to_json() | {"capacity": found.to_json()}
    (whole.path / NAME).write_text(json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n")
    whole.verdict.write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        print_json(answer)
        return
    click.echo(verdict_text(judgement))
    click.echo(f"\n{found.sentence()}")
    for step in found.steps:
        click.echo(f"  {step.files_per_min:>8g} files/min  {step.verdict:<12} {step.saturated}")
    click.echo(f"\n{whole.path}/report.html")

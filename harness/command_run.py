"""`harness run`: from the command line's words to a judged run directory."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from harness import catalogue, describe, interruption, local_stack, queries, warehouse_model
from harness import pipeline as pipelines
from harness.checks import Check
from harness.cli.options import print_json
from harness.errors import HarnessError, UsageError
from harness.glue import environment as glue_environment
from harness.handler_import import check_handlers
from harness.history import History
from harness.ledger import Event, Ledger
from harness.merge import read_job
from harness.offer import Load, OwnLoad
from harness.overrides import overridden
from harness.plan import Replay, plan, with_overrides
from harness.progress import Progress
from harness.run import Run, RunRequest
from harness.run_directory import RunDirectory, RunFacts, create, machine, versions
from harness.scenario import Scenario
from harness.shapes import Shaped, Workshop
from harness.stack.compose import compose
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from harness.timing import scaled
from harness.verdict import Judgement, judge_stored
from harness.verdict_text import verdict_text


@contextmanager
def _stack(
    kind: str, pipeline: pipelines.Pipeline, logs: Path, progress: Progress, given: Endpoints | None
) -> Iterator[Endpoints]:
    """The stack that is given or up, or one for this run alone."""
    if given is not None:
        yield given
        return
    if kind == "compose":
        with compose(pipeline, progress.phase) as endpoints:
            yield endpoints
        return
    if (running := local_stack.running()) is not None:
        progress.phase(f"using the stack that is up at {running.aws_endpoint_url}")
        yield running
        return
    progress.phase("starting the embedded stack")
    began_s = time.monotonic()
    with embedded(logs) as endpoints:
        progress.phase(f"the stack is up after {time.monotonic() - began_s:.1f} s")
        yield endpoints


def facts_of(request: RunRequest, stack: str) -> RunFacts:
    """What is known of a run before it starts."""
    scenario, timing, schedule = request.scenario, request.timing, request.schedule
    last_at_s = max(file.at_s for file in schedule)
    return RunFacts(
        scenario=scenario.name,
        question=scenario.question,
        pipeline=request.pipeline.name,
        types=tuple(request.pipeline.types),
        seed=request.seed,
        time_scale=timing.time_scale,
        sla_s=timing.sla_s,
        merge_every_s=timing.merge_every_s,
        visibility_timeout_s=timing.visibility_timeout_s,
        # a replay that is sent whole can take longer than the scenario's own duration
        duration_s=max(scenario.duration_s, last_at_s),
        drain_within_s=scenario.drain_within_s / timing.time_scale,
        files_scheduled=len(schedule),
        records_scheduled=sum(file.records for file in schedule),
        stack=stack,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        versions=versions(),
        machine=machine(),
        warehouse_model=warehouse_model.in_words(request.pipeline.warehouse.model),
        design="batch" if request.pipeline.batch else "event",
        described=describe.described(request),
        command=request.command,
        stage_tables={name: settings.stage_table for name, settings in request.pipeline.types.items()},
    )


def check_runnable(pipeline: pipelines.Pipeline, pipeline_file: Path, scenario: Scenario) -> None:
    """Whether what the pipeline names can be run here, asked before anything is started.

    Raises:
        UsageError: the handler cannot be imported, or the scenario does not go with a batch job.
        HarnessError: Spark or Java is missing.
    """
    if pipeline.batch is None:
        check_handlers(pipeline, pipeline_file)
        return
    if scenario.faults:
        raise UsageError(
            f"{scenario.name}: its faults are made for the event-driven design, {pipeline_file} is a batch job"
        )
    glue_environment.find()


def request_of(
    asked: Scenario,
    pipeline_file: Path,
    rate: float | None,
    duration: float | None,
    time_scale: float | None,
    realtime: bool,
    records: int | None,
    seed: int,
    replay: Path | None,
    resample: bool,
    before_judging: str | None,
    function_s: float | None = None,
    maximum_concurrency: int | None = None,
) -> RunRequest:
    """What to run, of what was asked for.

    Raises:
        UsageError: the pipeline or an option cannot be used, or a handler cannot be imported.
        HarnessError: what the pipeline runs on is not there.
    """
    if realtime and time_scale is not None:
        raise UsageError("--realtime is a time scale of 1: give one or the other")
    if resample and replay is None:
        raise UsageError("--resample draws from the files of --replay: name their directory")
    scenario = with_overrides(asked, rate, duration, records)
    pipeline = overridden(pipelines.load(pipeline_file), function_s, maximum_concurrency)
    check_runnable(pipeline, pipeline_file, scenario)
    source = Replay(replay, records, "resampled" if resample else "in_order") if replay else None
    return RunRequest(
        scenario=scenario,
        pipeline=pipeline,
        timing=scaled(pipeline, 1.0 if realtime else time_scale or scenario.time_scale),
        schedule=plan(scenario, pipeline, seed, source, whole=duration is None),
        merge_job=read_job(pipeline),
        seed=seed,
        before_judging=before_judging,
        command=describe.command(asked, pipeline_file, seed, {
            "rate": rate, "duration": duration, "time_scale": time_scale, "realtime": realtime, "records": records,
            "replay": replay, "resample": resample, "function_s": function_s,
            "maximum_concurrency": maximum_concurrency,
        }),
    )  # fmt: skip


def shaped(request: RunRequest, directory: RunDirectory) -> RunRequest:
    """The request with the schedule that the scenario's shapes make of the plain one; their files are in `inputs/`."""
    workshop = Workshop(request.pipeline, request.seed, directory.path / "inputs")
    schedule = Shaped(tuple(request.schedule), request.rejects)
    for shape in request.scenario.workload.shapes:
        schedule = shape.apply(schedule, workshop)
    return replace(request, schedule=list(schedule.files), rejects=schedule.rejects)


def run_and_judge(
    request: RunRequest, directory: RunDirectory, stack: str, live: bool, given: Endpoints | None = None
) -> Judgement:
    """Run, judge, and write what a run directory holds.

    Raises:
        HarnessError: the harness itself failed; the ledger up to then stays.
    """
    request = shaped(request, directory)
    facts = facts_of(request, stack)
    directory.write_facts(facts)
    progress = Progress(Console(stderr=True))
    with interruption.raises():
        tell = (lambda url: progress.phase(f"live view: {url}")) if live else None
        record(request, facts, directory, progress, given, live=tell)
    return judged(directory, request.scenario.checks)


def run_scenario(
    name: str, *, out: Path | None, stack: str, as_json: bool, pipeline_file: Path, live: bool, **options: object
) -> int:
    """Run and judge; returns the exit code.

    Raises:
        UsageError: the scenario, the pipeline or an option cannot be used.
        HarnessError: the harness itself failed; the ledger up to then stays.
    """
    if beside := catalogue.scenario(name).beside:
        from harness.command_side_by_side import run_side_by_side

        return run_side_by_side(
            name, beside, out=out, stack=stack, as_json=as_json, pipeline_file=pipeline_file, live=live, **options
        )
    request = request_of(catalogue.scenario(name), pipeline_file, **options)  # type: ignore[arg-type]
    if request.scenario.search is not None:
        from harness.command_capacity import find_capacity

        return find_capacity(request, request.scenario.search, out, stack, as_json=as_json)
    directory = create(out, name)
    return told(run_and_judge(request, directory, stack, live), directory, as_json)


def told(judgement: Judgement, directory: RunDirectory, as_json: bool) -> int:
    """Print a judgement; returns its exit code."""
    if as_json:
        print_json(judgement.to_json())
    else:
        click.echo(verdict_text(judgement))
        click.echo(f"\n{directory.path}/report.html")
    return judgement.exit_code


def judged(directory: RunDirectory, checks: Sequence[Check]) -> Judgement:
    """Judge a run whose ledger is finished, and write what people and CI read into its directory."""
    from harness.report import render

    judgement = judge_stored(directory, checks)
    directory.verdict.write_text(json.dumps(judgement.to_json(), indent=2, ensure_ascii=False) + "\n")
    directory.junit.write_text(render(directory, judgement, "junit"))
    directory.report.write_text(render(directory, judgement, "html"))
    return judgement


@contextmanager
def _live(
    tell: Callable[[str], None] | None, history: History, facts: RunFacts, directory: RunDirectory
) -> Iterator[None]:
    """Serve the live view, if somebody is to be told its URL."""
    if tell is None:
        yield
        return
    from harness.live import live_view

    with live_view(history, facts, directory.path.resolve().name) as url:
        tell(url)
        yield


def record(
    request: RunRequest,
    facts: RunFacts,
    directory: RunDirectory,
    progress: Progress,
    given: Endpoints | None = None,
    live: Callable[[str], None] | None = None,
    load: Load | None = None,
    listener: Callable[[Event, History], None] | None = None,
) -> None:
    """Run, on the stack that is given or else on one as `harness run` finds it, and leave a finished ledger.

    `live` is told the URL of a page that shows the run while it goes on; `load` makes and uploads the files in place of
    processes of this run's own; `listener` gets each event once the history has taken it in.

    Raises:
        HarnessError: the harness itself failed; the ledger up to then stays.
    """
    history = History()

    def on_event(event: Event) -> None:
        history.apply(event)
        if listener is not None:
            listener(event, history)

    ledger = Ledger(directory.ledger, on_event)
    interrupted = False
    try:
        with (
            _stack(facts.stack, request.pipeline, directory.logs, progress, given) as endpoints,
            queries.kept(endpoints.query_log, directory.path),
            _live(live, history, facts, directory),
            progress.showing(),
        ):
            Run(request, facts, directory, endpoints, ledger, history, progress, load or OwnLoad()).execute()
    except KeyboardInterrupt:
        interrupted = True
        progress.phase("interrupted: judging what there is")
    except HarnessError as error:
        ledger.append("problem", text=str(error))
        ledger.finish(interrupted=False)
        raise
    ledger.finish(interrupted=interrupted)

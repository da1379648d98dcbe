"""One run, from plan to verdict: provision, offer, drain, account, judge.

In: a `RunRequest` and a stack's endpoints. Out: a run directory and a `Judgement`. Data flow one way: what happens is
appended to the ledger, and the judgement reads nothing else.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from generators.files import decode
from generators.records import make_table
from harness import probes, sql
from harness.accounting import DeliveredFile, TypeTotals, account
from harness.aws import Aws
from harness.aws_stack import invocations
from harness.aws_stack.accounting import account as account_on_aws
from harness.aws_stack.adopted import start_empty
from harness.emptying import empty
from harness.errors import HarnessError
from harness.faults.network import endpoints_needed
from harness.faults.proxied import Control, proxied
from harness.faults.site import Site
from harness.faults.timeline import Timeline
from harness.glue import environment as glue_environment
from harness.glue.job import BatchJob
from harness.history import History
from harness.ledger import Ledger
from harness.load.feeder import content, due
from harness.load.schedule import PlannedFile
from harness.machine_use import Reading
from harness.merge import MergeJob, MergeRun, keep_merging
from harness.merged import Added, All, record_merged
from harness.offer import AHEAD_FILES, Load, Offer, prepare_feed
from harness.outages import Backend, lasting_backend, parts_come_back
from harness.pipeline import Pipeline
from harness.progress import Progress
from harness.provision import functions_of, provision
from harness.run_directory import RunDirectory, RunFacts
from harness.scenario import Scenario
from harness.stack.embedded import is_running
from harness.stack.endpoints import Endpoints
from harness.timing import Timing
from harness.workers import Workers, started_workers

if TYPE_CHECKING:
    import pyarrow as pa

TICK_S = 0.2
FEED_TIMEOUT_S = 120.0
FEED_TIMEOUT_A_FILE_S = 0.25
DISPATCHER_TIMEOUT_S = 60.0
ACCOUNTING_THREADS = 2
# A type of 1.25 million records takes up to 0.7 GB of PostgreSQL's memory, and a container has a limit.
ACCOUNTING_THREADS_IN_CONTAINERS = 1


@dataclass(frozen=True)
class RunRequest:
    """What to run. `schedule` is the plan and `rejects` the numbers of its files that must be refused;
    `before_judging` is a shell command to run after the drain, `command` what asks for the same run again,
    `ahead_files` how many files may wait on disk: with room for all of them, all are made before the first upload."""

    scenario: Scenario
    pipeline: Pipeline
    timing: Timing
    schedule: list[PlannedFile]
    merge_job: MergeJob
    seed: int
    before_judging: str | None
    rejects: frozenset[int] = frozenset()
    command: str | None = None
    ahead_files: int = AHEAD_FILES


def warehouse_log(endpoints: Endpoints, logs: Path) -> str:
    """Where the warehouse's database says why it ended; `logs` is where a stack of the run's own writes."""
    if endpoints.on_aws is not None:
        return "the warehouse's events in AWS"
    if parts_come_back(endpoints):
        return "`docker compose logs redshift`"
    candidates = [directory / "postgres.log" for directory in (logs, endpoints.directory / "logs")]
    return str(next((path for path in candidates if path.exists()), candidates[0]))


@dataclass(frozen=True)
class Run:
    """A run that is going on."""

    request: RunRequest
    facts: RunFacts
    directory: RunDirectory
    endpoints: Endpoints
    ledger: Ledger
    history: History
    progress: Progress
    load: Load

    @property
    def aws(self) -> Aws:
        return Aws(self.endpoints)

    def execute(self) -> None:
        """Everything up to the last event before judging.

        Raises:
            HarnessError: a part of the stack or of the harness ended.
            KeyboardInterrupt: somebody pressed Ctrl-C; processes and threads of the run have ended.
        """
        request = self.request
        for file in request.schedule:
            self.ledger.append(
                "planned",
                index=file.index,
                type=file.type,
                key=file.key,
                records=file.records,
                file_at_s=file.at_s,
                **({"reject": True} if file.index in request.rejects else {}),
            )
        self.progress.phase(f"provisioning the pipeline {request.pipeline.name}")
        aws = self.aws
        with ExitStack() as cleanup:
            seen, proxy = self._stand_between(cleanup)
            provisioned = provision(request.pipeline, request.timing, aws, seen)
            if (on_aws := self.endpoints.on_aws) is None:
                empty(request.pipeline, provisioned, aws, self.progress.phase)
            else:
                start_empty(request.pipeline, provisioned, aws, on_aws, self.progress.phase)
            self.ledger.append(
                "provisioned",
                max_receive_count={
                    name: request.pipeline.queue_of(name).max_receive_count for name in provisioned.types
                },
                faults=[timed.fault.name for timed in request.scenario.faults],
                functions=functions_of(request.pipeline, provisioned),
            )
            watched = probes.Watched(request.pipeline, provisioned, aws, self.history, self.ledger)
            site = Site(
                request.pipeline, provisioned, request.timing, aws, self.history, self.ledger, self._as_meant, proxy
            )
            timeline = Timeline(request.scenario.faults, site, self.ledger)
            cleanup.callback(timeline.heal_all)
            feed_directory = self.endpoints.directory / f"feed-{os.getpid()}"
            cleanup.callback(shutil.rmtree, feed_directory, ignore_errors=True)
            datasets = [request.pipeline.dataset(name) for name in request.pipeline.types]
            feed = prepare_feed(feed_directory, request.schedule, datasets)
            offer = Offer(
                feed, request.seed, request.pipeline.bucket, seen, self.directory.logs, request.ahead_files
            )  # fmt: skip
            workers = cleanup.enter_context(started_workers())
            before = Reading.take(self.endpoints)
            self._offer(offer, watched, workers, timeline, cleanup, seen)
            self._drain(workers)
            if before is not None and (after := Reading.take(self.endpoints)) is not None:
                self.ledger.append("machine_use", **after.used_since(before))
            workers.end()
        try:
            self._collect_dead_letters(watched)
            if request.before_judging:
                self._run_hook(request.before_judging)
            self._account()
        except sql.DatabaseAwayError as error:
            raise HarnessError(
                f"{error}. Without it records are not counted, and the run cannot be judged: see "
                f"{warehouse_log(self.endpoints, self.directory.logs)} for why it ended, then run again"
            ) from error

    def _stand_between(self, cleanup: ExitStack) -> tuple[Endpoints, Control | None]:
        """What the pipeline and its sources connect to: the stack itself, or a proxy that faults need."""
        names = endpoints_needed(self.request.scenario.faults)
        if not names:
            return self.endpoints, None
        # A stack that stays up must not keep functions that connect to a proxy which is gone.
        cleanup.callback(self._provision_directly)
        return cleanup.enter_context(proxied(names, self.endpoints, self.directory.logs))

    def _provision(self, seen: Endpoints) -> None:
        provision(self.request.pipeline, self.request.timing, self.aws, seen)

    def _provision_directly(self) -> None:
        if is_running(self.endpoints):
            self._provision(self.endpoints)

    def _as_meant(self, key: str) -> bytes:
        planned = next(file for file in self.request.schedule if file.key == key)
        return content(replace(planned, source=None), self.request.pipeline.dataset(planned.type), self.request.seed)

    def _offer(
        self,
        offer: Offer,
        watched: probes.Watched,
        workers: Workers,
        timeline: Timeline,
        cleanup: ExitStack,
        seen: Endpoints,
    ) -> None:
        request = self.request
        trace_at_byte = self.endpoints.trace_file.stat().st_size if self.endpoints.trace_file.exists() else 0
        workers.start("feeder", self.load.make(offer, self.ledger, cleanup))
        files = len(request.schedule)
        ready_files = files if files <= request.ahead_files else request.ahead_files // 2
        timeout_s = FEED_TIMEOUT_S + FEED_TIMEOUT_A_FILE_S * ready_files
        self._wait(lambda: self._made() >= ready_files, workers, timeout_s, "the first files")
        timeline.begin()
        send = self.load.send(offer, self.ledger, cleanup)
        workers.start("trace", lambda: self._follow_invocations(watched, workers.stop, trace_at_byte))
        workers.start("sampler", lambda: probes.keep_sampling(watched, workers.stop, lambda: self._provision(seen)))
        workers.start("dispatcher", send)
        self._wait(lambda: self.history.start_at_s is not None, workers, DISPATCHER_TIMEOUT_S, "the first uploads")
        merge_once = self._batch_job(cleanup).run if request.pipeline.batch else request.merge_job.run
        workers.start("merge", lambda: self._merge(merge_once, watched, workers.stop, seen))
        loaded, start_at_s = threading.Event(), self.history.start_at_s or time.time()
        cleanup.callback(loaded.set)
        workers.start("faults", lambda: timeline.keep(start_at_s, loaded))
        self.progress.phase(
            f"offering {len(request.schedule)} files over {self.facts.duration_s:g} s, "
            f"{'running the batch job' if request.pipeline.batch else 'merging'} every "
            f"{request.timing.merge_every_s:g} s; SLA {request.timing.sla_s:g} s, "
            f"time scale {request.timing.time_scale:g}"
        )
        self._wait(workers.futures["dispatcher"].done, workers, None, "the uploads")
        loaded.set()
        self._wait(workers.futures["faults"].done, workers, None, "the faults' end")

    def _follow_invocations(self, watched: probes.Watched, stop: threading.Event, from_byte: int) -> None:
        if self.endpoints.on_aws is None:
            probes.tail_invocations(self.endpoints.trace_file, self.ledger, stop, from_byte)
            return
        functions = [found.function_name for found in watched.provisioned.types.values()]
        invocations.keep_reading(self.aws, functions, self.ledger, stop)

    def _batch_job(self, cleanup: ExitStack) -> BatchJob:
        """The job that takes the place of functions and merge job; a run of it that goes on ends with the block."""
        pipeline, work = self.request.pipeline, self.endpoints.directory / f"glue-{os.getpid()}"
        cleanup.callback(shutil.rmtree, work, ignore_errors=True)
        job = BatchJob(
            glue_environment.find(), pipeline, self.request.merge_job, work, self.directory.logs,
            lambda ran: self.ledger.append("batch_run", **ran.to_event(pipeline)),
        )  # fmt: skip
        cleanup.callback(job.end)
        return job

    def _merge(
        self,
        merge_once: Callable[[Endpoints, int, float], MergeRun],
        watched: probes.Watched,
        stop: threading.Event,
        seen: Endpoints,
    ) -> None:
        every_s, start_at_s = self.request.timing.merge_every_s, self.history.start_at_s
        assert start_at_s is not None  # the schedule has begun
        with lasting_backend(self.endpoints, "nrt-probe") as backend:
            added = All() if self.endpoints.on_aws else Added()

            def on_run(run: MergeRun) -> None:
                self.ledger.append("merge_run", **run.to_event())
                self._record_merged(watched, run, backend, added)

            keep_merging(
                lambda number, due_s: merge_once(seen, number, due_s),
                every_s, start_at_s + every_s, on_run, stop,
            )  # fmt: skip

    def _record_merged(self, watched: probes.Watched, run: MergeRun, backend: Backend, added: Added | All) -> None:
        import psycopg2

        try:
            record_merged(watched, run, backend.connection(), added)
        except (psycopg2.Error, HarnessError):
            if not parts_come_back(self.endpoints):
                raise
            backend.forget()  # the next run's look finds what this one merged

    def _made(self) -> int:
        return sum(file.made_s is not None for file in self.history.files.values())

    def _drain(self, workers: Workers) -> None:
        self.progress.phase("draining: waiting until every file is queryable or dead-lettered")
        began_s, limit_s = time.monotonic(), self.facts.drain_within_s
        while not (drained := self._is_drained()) and time.monotonic() - began_s < limit_s:
            self._tick(workers)
        self.ledger.append("drained", drained=drained, after_s=round(time.monotonic() - began_s, 3))

    def _is_drained(self) -> bool:
        if not all(file.is_settled for file in self.history.files.values() if file.acknowledged_s is not None):
            return False
        # A further delivery may still be on its way, or an invocation go on after its commit: the queues and then a
        # merge have to see the end of them, or nobody would know what they did to the final tables.
        last_end_s = max((event["end_s"] for event in self.history.invocations), default=0.0)
        samples, merges = self.history.samples, self.history.merges
        return (
            bool(samples and merges)
            and samples[-1]["at_s"] > last_end_s
            and not any(queue["visible"] + queue["in_flight"] for queue in samples[-1]["queues"].values())
            and merges[-1].started_s > last_end_s
        )

    def _wait(self, is_done: Callable[[], bool], workers: Workers, timeout_s: float | None, what: str) -> None:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not is_done():
            self._tick(workers)
            if deadline is not None and time.monotonic() > deadline:
                raise HarnessError(f"{what} were not there within {timeout_s:g} s; see {self.directory.logs}")
        workers.raise_if_dead()

    def _tick(self, workers: Workers) -> None:
        workers.raise_if_dead()
        if not is_running(self.endpoints):
            raise HarnessError(f"the stack ended during the run; see {self.directory.logs}")
        self.progress.tick(self.history, self.facts)
        workers.stop.wait(TICK_S)

    def _collect_dead_letters(self, watched: probes.Watched) -> None:
        with (
            sql.told("looking for dead letters", self.endpoints.postgres),
            sql.backend(self.endpoints, "nrt-probe") as connection,
        ):
            connection.autocommit = True
            probes.sample(
                watched, connection, dict.fromkeys(watched.provisioned.types, 0), probes.stage_counts_of(self.endpoints)
            )

    def _run_hook(self, command: str) -> None:
        self.progress.phase(f"before judging: {command}")
        status = self.endpoints.directory / "status.json"
        result = subprocess.run(
            command, shell=True, env=os.environ | {"HARNESS_STATUS": str(status)}, check=False,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.ledger.append("hook", command=command, exit_code=result.returncode)
        if result.returncode:
            raise HarnessError(f"--before-judging ended with exit code {result.returncode}")

    def _account(self) -> None:
        self.progress.phase("accounting for every record")
        delivered: dict[str, list[DeliveredFile]] = {name: [] for name in self.request.pipeline.types}
        for planned in self.request.schedule:
            file = self.history.files[planned.key]
            if file.acknowledged_s is not None or file.upload_outcome == "unknown":
                # What must be refused must leave no record: the account expects none of it.
                expected = replace(planned, records=0, source=None) if file.is_reject else planned
                if file.is_mended:
                    expected = replace(planned, source=None)
                delivered[planned.type].append(DeliveredFile(planned.index, planned.key, self._reader(expected)))
        threads = ACCOUNTING_THREADS_IN_CONTAINERS if self.endpoints.inside else ACCOUNTING_THREADS
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda item: self._account_type(*item), delivered.items()))

    def _account_type(self, type_name: str, files: list[DeliveredFile]) -> None:
        count = account_on_aws if self.endpoints.on_aws else account
        for result in count(self.request.pipeline, type_name, files, self.endpoints):
            if isinstance(result, TypeTotals):
                self.ledger.append("accounted_type", **result.to_event())
            else:
                file, accounted = result
                self.ledger.append("accounted", index=file.index, **accounted.__dict__)

    def _reader(self, planned: PlannedFile) -> Callable[[], "pa.Table"]:
        dataset, seed = self.request.pipeline.dataset(planned.type), self.request.seed
        if planned.source is not None:
            return lambda: decode(content(planned, dataset, seed), dataset)
        return lambda: make_table(
            dataset, seed=seed, file_index=planned.index, records=planned.records, at=due(planned)
        )

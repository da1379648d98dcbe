"""Runs the jobs of the Data API, each in a session of its own through the gateway, and remembers them for a day.

In: jobs. Out: the same jobs, moved along; whoever waits for one is woken. Sources: Amazon Redshift Data API Reference;
Management Guide, "Considerations when calling the Amazon Redshift Data API".
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import psycopg2

from harness.redshift import tokens as lex
from harness.redshift.data_api.errors import ApiError, not_found, validation_error
from harness.redshift.data_api.job import Job, Part
from harness.redshift.data_api.results import RESULT_MAX_BYTES, ResultTooLarge, read_result
from harness.redshift.data_api.sessions import Sessions

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

_logger = logging.getLogger(__name__)
ACTIVE_MAX = 500
WORKERS = 32
KEEP_S = 24 * 3600
KEEP_TOKEN_S = 8 * 3600
MULTIPLE = "ERROR: cannot insert multiple commands into a prepared statement"


class Warehouse(Protocol):
    """What the gateway knows of its own sessions, by their process ids; to be asked from any thread."""

    def query_id_of(self, process_id: int) -> int:
        """The number of the newest statement of a session; -1 if none is kept."""
        ...

    def cancel(self, process_id: int) -> None:
        """Cancel what a session does, as a client's cancel request would.

        libpq's own request is of no use here: psycopg2 sends it without letting go of the interpreter's lock, which
        the gateway needs to answer.
        """
        ...


class Runner:
    """The jobs of one gateway; safe to use from several threads."""

    def __init__(
        self,
        sessions: Sessions,
        warehouse: Warehouse,
        active_max: int = ACTIVE_MAX,
        result_max_bytes: int = RESULT_MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sessions, self._warehouse, self._active_max = sessions, warehouse, active_max
        self._result_max_bytes, self._clock = result_max_bytes, clock
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[str, Job] = {}
        self._workers = ThreadPoolExecutor(WORKERS, "redshift-data-api")

    def submit(self, job: Job) -> Job:
        """Take a job; the one taken before, if the request repeats its ClientToken.

        Raises:
            ApiError: too many jobs are active, or its session cannot be had.
        """
        token = job.request.get("ClientToken")
        with self._changed:
            self._forget_old()
            if token in self._tokens:
                return self._tokens[token]
            if sum(not known.is_final for known in self._jobs.values()) >= self._active_max:
                words = f"Active statements exceeded the allowed quota ({self._active_max})."
                raise ApiError("ActiveStatementsExceededException", words)
            self.sessions.reserve(job)
            self._jobs[job.id] = job
            if token:
                self._tokens[token] = job
        self._workers.submit(self._run, job).add_done_callback(_log_failure)
        return job

    def _forget_old(self) -> None:
        now_s = self._clock()
        for job in [job for job in self._jobs.values() if job.is_final and now_s - job.updated_at_s > KEEP_S]:
            del self._jobs[job.id]
        for token in [token for token, job in self._tokens.items() if now_s - job.created_at_s > KEEP_TOKEN_S]:
            del self._tokens[token]

    def job(self, identifier: str) -> tuple[Job, Part | None]:
        """The job of an identifier, and the statement it names.

        Raises:
            ApiError: there is none.
        """
        name, _, suffix = identifier.partition(":")
        with self._changed:
            self._forget_old()
            job = self._jobs.get(name)
        if job is None or (suffix and job.part(suffix) is None):
            raise not_found("Query does not exist.")
        return job, job.part(suffix)

    def jobs(self) -> list[Job]:
        """All jobs, the newest first."""
        with self._changed:
            self._forget_old()
            return list(reversed(self._jobs.values()))

    def wait(self, job: Job, for_s: float) -> None:
        """Return when the job has ended, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: job.is_final, for_s)

    def cancel(self, job: Job) -> None:
        """Have a job end as ABORTED as soon as the warehouse lets go of it.

        Raises:
            ApiError: it has ended already.
        """
        with self._changed:
            if job.is_final:
                raise validation_error(f"Could not cancel a query that is already in {job.status} state")
            job.cancel_asked = True
            if job.status == "SUBMITTED":
                job.duration_ns = 0
                self._end(job, "ABORTED")
                return
            process_id = job.process_id
        if process_id:
            self._warehouse.cancel(process_id)

    def close(self) -> None:
        """Call off what runs and end every session."""
        for job in self.jobs():
            if not job.is_final:
                self.cancel(job)
        self._workers.shutdown()
        self.sessions.close()

    # --- in a worker thread

    def _run(self, job: Job) -> None:
        began_ns, outcome = time.monotonic_ns(), "FAILED"
        try:
            self._move(job, "PICKED")
            if not job.is_final:
                with self.sessions.connection(job) as connection:
                    outcome = self._run_on(job, connection)
        except psycopg2.Error as error:
            job.error = _words(error)
        finally:
            self.sessions.release(job)
            with self._changed:
                job.duration_ns = time.monotonic_ns() - began_ns
                if not job.is_final:
                    self._end(job, outcome)

    def _run_on(self, job: Job, connection: "Connection") -> str:
        with self._changed:
            job.process_id = connection.info.backend_pid
        self._move(job, "STARTED")
        outcome = "FINISHED"
        with connection.cursor() as cursor:
            if job.in_one_transaction:
                cursor.execute("BEGIN")
            for number, part in enumerate(job.parts, 1):
                self._run_part(job, part, cursor)
                if part.status != "FINISHED":
                    words = f"Query #{number} failed with {part.error}" if job.is_batch else str(part.error)
                    job.error = words if job.error is None else f"{job.error}\n{words}"
                    outcome = part.status
                    if job.in_one_transaction or outcome == "ABORTED":
                        break
            if job.in_one_transaction:
                cursor.execute("COMMIT" if outcome == "FINISHED" else "ROLLBACK")
        return outcome if outcome == "ABORTED" or job.error is None else "FAILED"

    def _run_part(self, job: Job, part: Part, cursor: "psycopg2.extensions.cursor") -> None:
        began_ns, part.status = time.monotonic_ns(), "STARTED"
        result, status, error = None, "FINISHED", None
        try:
            if job.cancel_asked:
                raise psycopg2.errors.QueryCanceled("canceling statement due to user request")
            if len(lex.split_statements(lex.tokenize(part.sql))) > 1:
                status, error = "FAILED", MULTIPLE
            else:
                cursor.execute(part.sql)
                result = read_result(cursor, self._result_max_bytes)
                part.rows = cursor.rowcount
        except psycopg2.Error as failure:
            status, error = "FAILED", _words(failure)
            if job.cancel_asked and isinstance(failure, psycopg2.errors.QueryCanceled):
                status = "ABORTED"
        except ResultTooLarge as failure:
            status, error = "FAILED", str(failure)
        with self._changed:
            part.query_id = self._warehouse.query_id_of(job.process_id)
            part.duration_ns, part.updated_at_s = time.monotonic_ns() - began_ns, time.time()
            part.result, part.status, part.error = result, status, error

    def _move(self, job: Job, status: str) -> None:
        with self._changed:
            if not job.is_final:
                job.status, job.updated_at_s = status, time.time()

    def _end(self, job: Job, status: str) -> None:
        """With the lock held: what has not run never will."""
        job.status, job.updated_at_s = status, time.time()
        for part in job.parts:
            if not part.is_final:
                part.status = "ABORTED" if job.is_batch else status
        self._changed.notify_all()


def _log_failure(done: Future[None]) -> None:
    """A mistake of this module's own is not to vanish with its thread."""
    if (error := done.exception()) is not None:
        _logger.error("a statement of the Data API was given up", exc_info=error)


def _words(error: psycopg2.Error) -> str:
    """An error as the Data API words it: severity, message and what the database adds to it."""
    said = error.diag.message_primary
    if said is None:  # refused before there was a session: libpq tells whom it asked, too
        _, fatal, reason = " ".join(str(error).split()).rpartition("FATAL: ")
        return fatal + reason or type(error).__name__
    lines = [f"{error.diag.severity or 'ERROR'}: {said}"]
    lines += [f"  Detail: {error.diag.message_detail}"] if error.diag.message_detail else []
    lines += [f"  Hint: {error.diag.message_hint}"] if error.diag.message_hint else []
    lines += [f"  Position: {error.diag.statement_position}"] if error.diag.statement_position else []
    return "\n".join(lines)

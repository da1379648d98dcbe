"""The merge job, and the clock that runs it at the pipeline's interval.

In: each type's SQL. Out: a record of every run, with its rows and times. A type's script is one transaction, as the
Redshift Data API's BatchExecuteStatement makes it; a type that fails is rolled back, recorded, and tried again at
the next run. A run that overruns its interval delays the next one, and the record says by how much.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from harness import sql
from harness.errors import HarnessError
from harness.pipeline import Pipeline
from harness.stack.endpoints import Endpoints

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

STATEMENT_LABEL_CHARS = 60


@dataclass(frozen=True)
class TypeMerge:
    """The merge of one type: `committed_s` is None when it was rolled back. Epoch seconds."""

    type: str
    started_s: float
    committed_s: float | None
    rows: tuple[dict[str, Any], ...]
    error: str | None


@dataclass(frozen=True)
class MergeRun:
    """One run over all types. Epoch seconds."""

    run: int
    due_s: float
    started_s: float
    ended_s: float
    delayed_s: float
    types: tuple[TypeMerge, ...]

    def to_event(self) -> dict[str, Any]:
        """The fields of its `merge_run` event."""
        return asdict(self)


@dataclass(frozen=True)
class MergeJob:
    """The statements of each type, read once before the run."""

    statements: dict[str, tuple[str, ...]]

    def run(self, endpoints: Endpoints, number: int, due_s: float) -> MergeRun:
        """Merge every type, one after the other."""
        started_s = time.time()
        types = tuple(self._merge_types(endpoints))
        return MergeRun(number, due_s, started_s, time.time(), max(0.0, started_s - due_s), types)

    def _merge_types(self, endpoints: Endpoints) -> Iterator[TypeMerge]:
        if endpoints.on_aws is None:
            with _Session(endpoints) as session:
                for name, script in self.statements.items():
                    yield session.merge(name, script)
            return
        from harness.aws_stack import merges

        for name, script in self.statements.items():
            yield merges.merge_type(endpoints, endpoints.on_aws, name, script)


def read_job(pipeline: Pipeline) -> MergeJob:
    """Read the merge SQL of every type.

    Raises:
        UsageError: a script cannot be read.
    """
    return MergeJob({name: tuple(sql.statements(pipeline.merge_sql(name))) for name in pipeline.types})


def label(statement: str) -> str:
    """The beginning of a statement, by which a ledger tells it from others."""
    return " ".join(statement.split())[:STATEMENT_LABEL_CHARS]


class _Session:
    """A session in which types are merged, each as in one of its own: nothing is left of the one before.

    Opening a session costs more than merging what little a type of many has.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._open = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> "_Session":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end()

    def merge(self, type_name: str, script: tuple[str, ...]) -> TypeMerge:
        """Run a type's script as one transaction."""
        import psycopg2

        started_s = time.time()
        rows: list[dict[str, Any]] = []
        try:
            _run_script(self._fresh(), script, rows)
            return TypeMerge(type_name, started_s, time.time(), tuple(rows), None)
        except (psycopg2.Error, HarnessError) as error:
            self._end()
            return TypeMerge(type_name, started_s, None, tuple(rows), str(error).strip())

    def _fresh(self) -> "Connection":
        import psycopg2

        if self._connection is not None:
            try:
                _forget(self._connection)
            except psycopg2.Error:  # lost since the type before; whether there is a warehouse, a new session tells
                self._end()
        if self._connection is None:
            self._connection = self._open.enter_context(sql.warehouse(self._endpoints))
        return self._connection

    def _end(self) -> None:
        self._open.close()
        self._connection = None


def _forget(connection: "Connection") -> None:
    """Settings, temporary tables and prepared statements of the script before are gone."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    connection.autocommit = False


def _run_script(connection: "Connection", script: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        for statement in script:
            cursor.execute(statement)
            if cursor.rowcount >= 0:
                rows.append({"statement": label(statement), "rows": cursor.rowcount})
    connection.commit()


class Stop(Protocol):
    """How the schedule waits: `threading.Event` is one."""

    def wait(self, timeout: float) -> bool:
        """Wait; true at once when the schedule is to end."""
        ...


def keep_merging(
    run_once: Callable[[int, float], MergeRun],
    every_s: float,
    first_due_s: float,
    on_run: Callable[[MergeRun], None],
    stop: Stop,
    clock: Callable[[], float] = time.time,
) -> None:
    """Run every `every_s` from `first_due_s` on, until `stop` is set; a run that has begun is finished.

    `run_once` gets the run's number and when it was due.
    """
    number, due_s = 1, first_due_s
    while not stop.wait(max(0.0, due_s - clock())):
        on_run(run_once(number, due_s))
        # the schedule's own grid, not "end plus interval": lateness is shown, not hidden
        number, due_s = number + 1, due_s + every_s

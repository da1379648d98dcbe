"""What outlives a transaction: load errors, load history and the query log, in tables behind the system views.

In: finished COPYs and query records. Out: rows in the schema `redshift_internal`, written through a connection of the
gateway's own, so that a client's rollback does not take them along. Written when someone looks, and at once on errors.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, oddly named
from psycopg2.extras import execute_values

from harness.redshift.connect import Address
from harness.redshift.copy.errors import LoadError
from harness.redshift.querylog import KEEP_RECORDS, QueryLog, Record

KEEP_LOADS = 1_000  # in memory, if nobody looks at them


@dataclass
class LoadHistory:
    """One COPY: what it read and how it ended (status: running, completed, aborted)."""

    record: Record
    table: str
    source: str
    format: str
    status: str = "running"
    rows: int = 0
    size_bytes: int = 0
    errors: list[LoadError] = field(default_factory=list)
    files: list[tuple[str, int, int]] = field(default_factory=list)

    def add_file(self, name: str, rows: int, size_bytes: int) -> None:
        self.files.append((name, rows, size_bytes))


@dataclass(frozen=True)
class ConnectionEvent:
    """What happened to a client's connection, in Redshift's words, at `time.time()` seconds.

    peer: its host and port. tls: version and cipher, empty without. parameters: what the client said at its start.
    """

    event: str
    at_s: float
    session: int
    database: str
    user: str
    peer: tuple[str, str]
    tls: tuple[str, str]
    parameters: Mapping[str, str]
    protocol: int
    duration_s: float = 0.0


class LoadRecorder:
    """Keeps finished loads until they are written; one connection, used by one thread at a time."""

    def __init__(self, address: Address, threads: ThreadPoolExecutor, log: QueryLog) -> None:
        self._address, self._threads, self._log = address, threads, log
        self._loads: list[LoadHistory] = []
        self._connections: deque[ConnectionEvent] = deque(maxlen=KEEP_RECORDS)
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._last_query_id = 0

    async def write(self, history: LoadHistory) -> None:
        """Keep a finished load; its errors are in the tables when this returns."""
        self._loads.append(history)
        if history.errors or len(self._loads) >= KEEP_LOADS:
            await self.flush()

    def connection(self, event: ConnectionEvent) -> None:
        """Keep what happened to a client's connection; the oldest are forgotten if nobody looks."""
        self._connections.append(event)

    async def flush(self) -> None:
        """Write everything kept so far."""
        loads, self._loads = self._loads, []
        connections = list(self._connections)
        self._connections.clear()
        queries = [record for record in self._log.ended if record.query_id > self._last_query_id]
        self._last_query_id = max((record.query_id for record in queries), default=self._last_query_id)
        if loads or queries or connections:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, self._write, loads, queries, connections)

    def _write(self, loads: list[LoadHistory], queries: list[Record], connections: list[ConnectionEvent]) -> None:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._address.connect()
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                if connections:
                    execute_values(cursor, _CONNECTION_SQL, [_connection_row(event) for event in connections])
                if queries:
                    execute_values(cursor, _QUERY_SQL, [_query_row(record) for record in queries])
                for load in loads:
                    record = load.record
                    cursor.execute(_LOAD_SQL, (
                        record.query_id, record.session, record.transaction_id, record.user, record.database,
                        load.table, load.source, load.format, load.status, load.rows, load.size_bytes, record.at_s,
                    ))  # fmt: skip
                    if load.files:
                        execute_values(
                            cursor, _FILE_SQL, [(record.query_id, record.user, *file) for file in load.files]
                        )
                    if load.errors:
                        execute_values(cursor, _ERROR_SQL, [_error_row(load, error) for error in load.errors])

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()


_CONNECTION_SQL = """insert into redshift_internal.connection (event, recorded_at, remote_host, remote_port, session_id,
    database_name, username, auth_method, duration_us, ssl_version, ssl_cipher, application_name, os_version,
    driver_version, plugin_name, protocol_version) values %s"""
_QUERY_SQL = """insert into redshift_internal.query (query_id, session_id, transaction_id, username, database_name,
    query_type, query_text, start_time, end_time, returned_rows, returned_bytes, error_message, queued_s, table_name)
    values %s"""
_LOAD_SQL = """insert into redshift_internal.load (query_id, session_id, transaction_id, username, database_name,
    table_name, data_source, file_format, status, loaded_rows, source_bytes, start_time, end_time)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, to_timestamp(%s) at time zone 'UTC',
    clock_timestamp() at time zone 'UTC')"""
_FILE_SQL = (
    "insert into redshift_internal.load_file (query_id, username, file_name, loaded_rows, source_bytes) values %s"
)
_ERROR_SQL = """insert into redshift_internal.load_error (query_id, session_id, transaction_id, table_name, file_name,
    line_number, position, column_name, column_type, column_length, raw_line, raw_value, error_code, error_message,
    username) values %s"""


def _utc(at_s: float) -> object:
    return datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None)


_TOLD = ("application_name", "os_version", "driver_version", "plugin_name")


def _connection_row(event: ConnectionEvent) -> tuple[object, ...]:
    told = (
        event.parameters.get(name, "") for name in ("application_name", "os_version", "driver_version", "plugin_name")
    )
    return (
        event.event, _utc(event.at_s), *event.peer, event.session, event.database, event.user, "password",
        round(event.duration_s * 1e6), *event.tls, *told, event.protocol,
    )  # fmt: skip


def _query_row(record: Record) -> tuple[object, ...]:
    return (
        record.query_id, record.session, record.transaction_id, record.user, record.database, record.kind,
        record.sql.replace("\x00", ""), _utc(record.at_s), _utc(record.end_s), record.rows, record.bytes, record.error,
        record.queued_s, record.table,
    )  # fmt: skip


def _error_row(load: LoadHistory, error: LoadError) -> tuple[object, ...]:
    record = load.record
    return (
        record.query_id, record.session, record.transaction_id, load.table, error.file, error.line, error.position,
        error.column, error.type, error.length, error.raw_line[:1024].replace("\x00", ""),
        error.raw_value[:1024].replace("\x00", ""), error.code, error.reason, record.user,
    )  # fmt: skip

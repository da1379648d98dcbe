"""COPY from S3, run inside the client's own backend session.

In: a `Copy` and the backend of a session that holds the table's write lock. Out: rows in the table, in the client's
transaction, or nothing at all; load errors in the stand-in's own tables, outside the transaction. Reading and decoding
happen in threads; a file is decoded while the one before it is sent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from harness.redshift import messages as wire
from harness.redshift.backend import Backend, Statement
from harness.redshift.copy import errors
from harness.redshift.copy.columns import COLUMNS_SQL, Column, read_columns, target_columns
from harness.redshift.copy.encode import BinaryEncoder
from harness.redshift.copy.errors import LoadError
from harness.redshift.copy.objects import ObjectReference, ObjectStore, decompress
from harness.redshift.copy.options import Copy
from harness.redshift.copy.parquet import fit_table, read_columnar
from harness.redshift.copy.records import RecordReader
from harness.redshift.latency import Latency
from harness.redshift.long_names import stored
from harness.redshift.messages import Refusal
from harness.redshift.querylog import Record
from harness.redshift.recorder import LoadHistory, LoadRecorder
from harness.redshift.tokens import quote_name

READ_AHEAD_FILES = 4
_EXTENSIONS = {".gz": "GZIP", ".bz2": "BZIP2"}
_LAST_COPY_SQL = (
    "select set_config('redshift.last_copy_count', $1, false), set_config('redshift.last_copy_id', $2, false)"
)


@dataclass(frozen=True)
class Loaded:
    """What a COPY did: rows, bytes read and what the client is told."""

    rows: int
    size_bytes: int
    client_messages: bytes


@dataclass
class _Progress:
    """One COPY under way."""

    copy: Copy
    columns: list[Column]
    record: Record
    history: LoadHistory
    files: list[ObjectReference]
    size_bytes: int = 0


class Loader:
    """Runs COPY statements; shared by all sessions."""

    def __init__(
        self, store: ObjectStore, threads: ThreadPoolExecutor, recorder: LoadRecorder, latency: Latency
    ) -> None:
        self._store, self._threads, self._recorder, self._latency = store, threads, recorder, latency

    async def load(self, copy: Copy, backend: Backend, record: Record) -> Loaded:
        """Load all files or none.

        Raises:
            Refusal: Redshift would refuse it; what can be said of the data is in STL_LOAD_ERRORS.
            BackendError, Skipped: PostgreSQL refused it.
        """
        history = LoadHistory(record, copy.table.replace('"', ""), copy.source, copy.format)
        try:
            return await self._load(copy, backend, record, history)
        except Refusal:
            history.status = "aborted"
            raise
        finally:
            await self._recorder.write(history)

    async def _load(self, copy: Copy, backend: Backend, record: Record, history: LoadHistory) -> Loaded:
        listing = self._in_thread(self._list, copy, record.query_id)
        try:
            described = await backend.run(Statement(COLUMNS_SQL, (copy.table,)))
        finally:
            await asyncio.wait([listing])
        files, locked_s = listing.result(), time.monotonic()
        explicit_ids = "EXPLICIT_IDS" in copy.options
        if copy.is_columnar:  # Spectrum, which reads them, passes over objects without a byte
            files = [file for file in files if file.size_bytes != 0]
        columns = target_columns(read_columns(described), copy.columns, explicit_ids=explicit_ids)
        progress = _Progress(copy, columns, record, history, files)
        if "NOLOAD" in copy.options:
            rows = 0
            async for _ in self._chunks(progress):
                pass
        else:
            rows = await backend.copy_in(self._copy_sql(copy, columns), self._chunks(progress))
        await self._latency.hold_copy(rows, time.monotonic() - locked_s)  # the table's lock is held meanwhile
        await backend.run(Statement(_LAST_COPY_SQL, (str(rows), str(record.query_id))))
        if rows and _updates_statistics(copy, was_empty=bool(described) and described[0][-1] == "t"):
            await backend.run(Statement(f"ANALYZE {copy.table}"))
        history.rows, history.size_bytes, history.status = rows, progress.size_bytes, "completed"
        return Loaded(rows, progress.size_bytes, _told(copy.name, rows, noload="NOLOAD" in copy.options))

    @staticmethod
    def _copy_sql(copy: Copy, columns: list[Column]) -> str:
        names = ", ".join(quote_name(stored(column.name)) for column in columns)
        return f"COPY {copy.table} ({names}) FROM STDIN (FORMAT binary)"

    def _list(self, copy: Copy, query_id: int) -> list[ObjectReference]:
        if "MANIFEST" in copy.options:
            return self._store.manifest(copy.source, query_id, columnar=copy.is_columnar)
        return self._store.under_prefix(copy.source, query_id)

    def _in_thread(self, function, *arguments) -> asyncio.Future:  # type: ignore[no-untyped-def,type-arg]
        work = asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        # A session that ends meanwhile awaits it no more; an error of its own is then nobody's business.
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        return work

    async def _chunks(self, progress: _Progress) -> AsyncIterator[bytes]:
        encoder = BinaryEncoder(progress.columns)
        reader = RecordReader(progress.copy, progress.columns, self._store, progress.record.query_id)
        waiting = iter(progress.files)
        ahead: list[tuple[ObjectReference, asyncio.Future]] = []  # type: ignore[type-arg]
        try:
            while True:
                for file in _take(waiting, READ_AHEAD_FILES - len(ahead)):
                    ahead.append((file, self._in_thread(self._read, progress, reader, file)))
                if not ahead:
                    break
                file, reading = ahead.pop(0)
                table, found, size_bytes = await reading
                progress.size_bytes += size_bytes
                progress.history.add_file(str(file), table.num_rows, size_bytes)
                self._judge(progress, found)
                for chunk in await self._in_thread(lambda t=table: list(encoder.encode(t))):
                    yield chunk
        finally:
            for _, reading in ahead:
                reading.cancel()
        yield encoder.finish()

    def _read(
        self, progress: _Progress, reader: RecordReader, file: ObjectReference
    ) -> tuple[pa.Table, list[LoadError], int]:
        copy, query_id = progress.copy, progress.record.query_id
        raw = self._store.read(file, query_id)
        if not copy.is_columnar:
            option = next((name for name in ("GZIP", "BZIP2", "ZSTD") if name in copy.options), None)
            table, found = reader.read(decompress(raw, option, str(file), query_id), str(file))
            return table, found, len(raw)
        name = str(file)
        content = decompress(raw, _columnar_compression(file.key), name, query_id)
        table = fit_table(
            read_columnar(content, name, copy.format, query_id), progress.columns, name, query_id,
            fill="FILLRECORD" in copy.options, serialize="SERIALIZETOJSON" in copy.options,
        )  # fmt: skip
        return table, [], len(raw)

    @staticmethod
    def _judge(progress: _Progress, found: list[LoadError]) -> None:
        """Record the errors of a file; as many as MAXERROR says, or more, end the COPY."""
        progress.history.errors += found
        if "IGNOREALLERRORS" in progress.copy.options:
            return
        if len(progress.history.errors) >= max(progress.copy.number("MAXERROR"), 1):
            raise errors.failed_with_load_errors(progress.copy.name, progress.record.query_id)


def _updates_statistics(copy: Copy, *, was_empty: bool) -> bool:
    """Whether the planner's statistics are renewed ("STATUPDATE"): by default if the table was empty."""
    asked = copy.text("STATUPDATE", "")
    return asked == "ON" or (not asked and was_empty and "NOLOAD" not in copy.options)


def _columnar_compression(key: str) -> str | None:
    return next((option for extension, option in _EXTENSIONS.items() if key.endswith(extension)), None)


def _take(files: Iterator[ObjectReference], count: int) -> Iterator[ObjectReference]:
    for _ in range(count):
        if (file := next(files, None)) is None:
            return
        yield file


def _told(name: str, rows: int, *, noload: bool) -> bytes:
    words = f"Load into table '{name}' completed, {rows} record(s) loaded successfully."
    if noload:
        words = f"Load into table '{name}' completed, NOLOAD: nothing was loaded."
    return wire.notice("INFO", "00000", words) + wire.message(b"C", wire.text("COPY"))

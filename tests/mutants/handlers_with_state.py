"""Handlers with one bug each that shows between files or between a handler and what it talks to: connections, lineage,
acknowledgements, memory, what S3 sends besides files."""

import datetime
import threading
import time
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from handler import app, events, files, warehouse
from tests.mutants.handlers import Answer, Event, _failures, _with_table
from tests.mutants.mutant import mutant

_append, _with_lineage, _load_file = warehouse.Warehouse.append, app.with_lineage, app._load_file
_ONE_AT_A_TIME = {"reserved_concurrency": 1}

# --- connections

_open: list[Any] = []


@mutant("handler", "connection_limit", "dead_letters", "none was expected", "connection limit")
def leaks_connections(event: Event, context: object) -> Answer:
    """Opens a connection for each file and never closes one, until the warehouse refuses."""

    def append(self: Any, frame: pd.DataFrame) -> float:
        _open.append(self._connection)
        self._connection = None
        return _append(self, frame)

    warehouse.Warehouse.append = append  # type: ignore[method-assign]
    return app.handler(event, context)


@mutant("handler", "warehouse_restart", "dead_letters", "none was expected")
def never_reconnects(event: Event, context: object) -> Answer:
    """Keeps its connection for good: after a failover of the warehouse every file fails until somebody deploys."""
    warehouse.Warehouse.append = warehouse.Warehouse._copy  # type: ignore[method-assign]
    return app.handler(event, context)


# --- acknowledgements


@mutant("handler", "smoke", "nothing_lost", "200 of 200 records are not in the final table")
def acknowledges_before_commit(event: Event, context: object) -> Answer:
    """Loads in a thread and answers at once: Lambda freezes the environment before the commit."""

    def load_later(*arguments: Any) -> bool:
        threading.Thread(target=lambda: (time.sleep(0.5), _load_file(*arguments)), daemon=True).start()
        return True

    app._load_file = load_later
    return app.handler(event, context)


@mutant("handler", "half_failed_messages", "nothing_lost", "200 of 200 records are not in the final table")
def acknowledges_half_a_message(event: Event, context: object) -> Answer:
    """Takes a message for done when any of its files was loaded, instead of all."""
    app.all = any  # type: ignore[attr-defined]
    return app.handler(event, context)


_BATCHES = {"batch_size": 4, "batch_window_s": 2}


@mutant("handler", "poison", "dead_letters", "on dead letter queues, only rejects were expected", queue=_BATCHES)
def reports_receipt_handles(event: Event, context: object) -> Answer:
    """Reports receipt handles, not message ids: Lambda knows none of them and takes the whole batch for failed."""
    failed = set(_failures(app.handler(event, context)))
    handles = [record["receiptHandle"] for record in event["Records"] if record["messageId"] in failed]
    return {"batchItemFailures": [{"itemIdentifier": handle} for handle in handles]}


@mutant("handler", "smoke", "nothing_lost", "200 of 200 records are not in the final table")
def takes_a_missing_file_for_done(event: Event, context: object) -> Answer:
    """Takes a 404 for a file that somebody deleted, and does not decode the key: S3 has no such file."""
    events.unquote_plus = lambda key: key

    def load_file(*arguments: Any) -> bool:
        loaded: bool = _load_file(*arguments)
        return loaded or True

    app._load_file = load_file
    return app.handler(event, context)


@mutant("handler", "s3_test_event", "dead_letters", "none was expected")
def does_not_know_the_test_event(event: Event, context: object) -> Answer:
    """Takes for granted that a message has Records: S3's test event fails until it is a dead letter."""
    app.events.objects_in = lambda body: _objects_with_records(body)
    return app.handler(event, context)


def _objects_with_records(body: str) -> tuple[events.S3Object, ...]:
    if '"Records"' not in body:
        raise events.EventError("KeyError: 'Records'")
    return _objects_in(body)


_objects_in = events.objects_in

# --- files that are right, but not as one expects them


@mutant("handler", "unusual_files", "dead_letters", "none was expected")
def leaves_plus_signs_in_the_key(event: Event, context: object) -> Answer:
    """Decodes the key with unquote() instead of unquote_plus(): S3 sends a blank as a plus sign."""
    events.unquote_plus = unquote
    return app.handler(event, context)


@mutant("handler", "unusual_files", "nothing_lost", "records are not in the final table")
def reads_the_first_gzip_member(event: Event, context: object) -> Answer:
    """Unzips with a decompressor object that stops at the end of the first gzip member."""
    files._unzipped = lambda content: zlib.decompressobj(wbits=31).decompress(content)
    return app.handler(event, context)


@mutant("handler", "unusual_files", "dead_letters", "none was expected")
def takes_columns_by_position(event: Event, context: object) -> Answer:
    """Takes columns by their place and not by their name."""
    order = app.environment().settings.schema.names

    def in_schema_order(content: bytes) -> bytes:
        header, newline, rest = content.partition(b"\n")
        is_header = sorted(header.decode().replace('"', "").split(",")) == sorted(order)
        return ",".join(f'"{name}"' for name in order).encode() + newline + rest if is_header else content

    files._unzipped = lambda content: in_schema_order(_unzipped(content))
    return app.handler(event, context)


_unzipped = files._unzipped

# --- content


@mutant("handler", "smoke", "nothing_lost", "records are not in the final table")
def reads_integers_as_floats(event: Event, context: object) -> Answer:
    """Reads with pandas, which makes floats of integers where one is missing: large keys lose their last digits."""

    def change(table: pa.Table) -> pa.Table:
        at, field = table.column_names.index("order_id"), table.schema.field("order_id")
        rounded = pa.array(table["order_id"].to_numpy().astype("float64").astype("int64"), field.type)
        return table.set_column(at, field, rounded)

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def takes_words_for_null(event: Event, context: object) -> Answer:
    """Reads with pandas' list of words for nothing: a customer called None, or NULL, or N/A, loses the name."""
    words = pa.array(["NULL", "null", "NaN", "N/A", "None"])

    def change(table: pa.Table) -> pa.Table:
        for name in ("customer_name", "city"):
            at, field = table.column_names.index(name), table.schema.field(name)
            emptied = pc.if_else(pc.is_in(table[name], words), pa.scalar(None, pa.string()), table[name])
            table = table.set_column(at, field, emptied)
        return table

    return _with_table(change, event, context)


# --- lineage


@mutant("handler", "smoke", "lineage", "another source_row than their place in the file")
def counts_rows_from_zero(event: Event, context: object) -> Answer:
    """Numbers a file's records from 0 instead of 1."""

    def with_lineage(*arguments: Any) -> pd.DataFrame:
        frame = _with_lineage(*arguments)
        frame["source_row"] -= 1
        return frame

    app.with_lineage = with_lineage
    return app.handler(event, context)


@mutant("handler", "smoke", "lineage", "before its upload: it has to be UTC")
def notes_local_time(event: Event, context: object) -> Answer:
    """Writes loaded_at in the local time of an office in New York."""
    behind = datetime.timedelta(hours=5)
    app.with_lineage = lambda table, key, at: _with_lineage(table, key, at - behind)
    return app.handler(event, context)


_previous: list[str] = []


@mutant("handler", "smoke", "lineage", "another file as their source_file", function=_ONE_AT_A_TIME)
def names_the_previous_file(event: Event, context: object) -> Answer:
    """Sets a file's name after it has made its rows: they carry the name of the file before."""

    def with_lineage(table: pa.Table, key: str, at: datetime.datetime) -> pd.DataFrame:
        named = _previous[-1] if _previous else key
        _previous.append(key)
        return _with_lineage(table, named, at)

    app.with_lineage = with_lineage
    return app.handler(event, context)


# --- what grows or stops in time


@mutant("handler", "smoke", "functions", "reached its timeout", function=_ONE_AT_A_TIME)
def hangs_now_and_then(event: Event, context: Any) -> Answer:
    """Waits for good in every fifth invocation; the file comes back and is loaded, so nothing is lost but time."""
    _invocations.append(1)
    if len(_invocations) % 5 == 0:
        time.sleep(context.get_remaining_time_in_millis() / 1000 + 60)
    return app.handler(event, context)


_invocations: list[int] = []


@mutant("handler", "smoke", "dead_letters", "No space left on device", function=_ONE_AT_A_TIME)
def fills_its_disk(event: Event, context: object) -> Answer:
    """Keeps what it has downloaded in /tmp, which has 512 MB for the life of the execution environment."""
    copy = Path("/tmp") / f"{time.time_ns()}"

    def kept(*arguments: Any) -> pa.Table:
        copy.write_bytes(bytes(KEPT_BYTES))
        return _decode(*arguments)

    files.decode = kept
    return app.handler(event, context)


_decode = files.decode
KEPT_BYTES = 200 * 2**20


@mutant("handler", "soak", "memory", "MB more with every invocation", function=_ONE_AT_A_TIME)
def leaks_memory(event: Event, context: object) -> Answer:
    """Keeps every file in memory, for a cache that nobody reads."""
    _cache.append(bytearray(b"x" * LEAKED_BYTES))
    return app.handler(event, context)


_cache: list[bytearray] = []
LEAKED_BYTES = 6 * 2**20

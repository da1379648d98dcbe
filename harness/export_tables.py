"""The tables of an export: their columns and types, and the rows of a run's history.

In: an `Exported`. Out: rows as dictionaries, in the order in which things happened. docs/ledger.md describes every
column; a test holds it to this module.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from harness.history import Accounted, FileHistory, History
from harness.report import breakdown

Row = dict[str, Any]
AT = pa.timestamp("us", tz="UTC")
STAGE_OF_PART = {
    "start_lag": "upload", "upload": "upload", "notify": "notify", "queue": "queue", "retries": "queue",
    "cold_start": "queue",
    "batch_wait": "batch_wait", "batch_retries": "batch_wait", "batch": "batch",
    "merge_wait": "merge_wait", "merge": "merge",
}  # fmt: skip
ACCOUNTS = tuple(Accounted.__dataclass_fields__)


@dataclass(frozen=True)
class Exported:
    """A run: its id, its history, and the lines of the warehouse's query log."""

    run: str
    history: History
    queries: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ExportTable:
    """`rows` gives dictionaries with the schema's columns."""

    schema: pa.Schema
    rows: Callable[[Exported], Iterator[Row]]


def _at(epoch_s: float | None) -> datetime.datetime | None:
    return None if epoch_s is None else datetime.datetime.fromtimestamp(epoch_s, datetime.UTC)


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field("run", pa.string(), nullable=False), *(pa.field(*column) for column in columns.items())])


FILES = _schema(
    index=pa.int64(), type=pa.string(), key=pa.string(), records=pa.int64(), size_bytes=pa.int64(), intended_at=AT,
    made_at=AT, upload_started_at=AT, uploaded_at=AT, upload_outcome=pa.string(), not_uploaded=pa.string(),
    queued_at=AT,
    handler_started_at=AT, handler_ended_at=AT, staged_at=AT, merge_started_at=AT, merged_at=AT, left_stage_at=AT,
    attempts=pa.int64(), cold=pa.bool_(), last_stage=pa.string(), dead_lettered=pa.bool_(),
    dead_letter_reason=pa.string(), start_lag_s=pa.float64(), end_to_end_s=pa.float64(),
    **{f"records_{name}": pa.int64() for name in ACCOUNTS},
)  # fmt: skip


def _files(exported: Exported) -> Iterator[Row]:
    for file in exported.history.files.values():
        yield {"run": exported.run, **_file(file)}


def _file(file: FileHistory) -> Row:
    success, letter = file.success, file.dead_letter
    return {
        "index": file.index,
        "type": file.type,
        "key": file.key,
        "records": file.records,
        "size_bytes": file.size_bytes,
        "intended_at": _at(file.intended_s),
        "made_at": _at(file.made_s),
        "upload_started_at": _at(file.started_s),
        "uploaded_at": _at(file.acknowledged_s),
        "upload_outcome": file.upload_outcome,
        "not_uploaded": file.not_uploaded,
        "queued_at": _at(file.sent_s),
        "handler_started_at": _at(success.start_s) if success else None,
        "handler_ended_at": _at(success.end_s) if success else None,
        "staged_at": _at(file.committed_s),
        "merge_started_at": _at(file.merge_started_s),
        "merged_at": _at(file.merged_s),
        "left_stage_at": _at(file.left_stage_s),
        "attempts": len(file.attempts),
        "cold": success.cold if success else None,
        "last_stage": file.last_stage,
        "dead_lettered": letter is not None,
        "dead_letter_reason": letter.get("reason") if letter else None,
        "start_lag_s": file.start_lag_s,
        "end_to_end_s": file.end_to_end_s,
        **{f"records_{name}": getattr(file.accounted, name, None) for name in ACCOUNTS},
    }


STAGES = _schema(
    index=pa.int64(), type=pa.string(), key=pa.string(), stage=pa.string(), part=pa.string(), duration_s=pa.float64()
)


def _stages(exported: Exported) -> Iterator[Row]:
    init_s = {event["request_id"]: (event.get("init_ms") or 0.0) / 1000 for event in exported.history.invocations}
    for file in exported.history.files.values():
        parts_s = breakdown.of_file(file, init_s.get(file.success.request_id, 0.0) if file.success else 0.0)
        measured = file.stage_latencies_s()
        for part, duration_s in parts_s.items():
            stage = STAGE_OF_PART.get(part, "handler")
            if stage in measured:
                about = {"index": file.index, "type": file.type, "key": file.key}
                yield {"run": exported.run, **about, "stage": stage, "part": part.removeprefix("phase:"),
                       "duration_s": duration_s}  # fmt: skip


SAMPLES = _schema(
    at=AT, type=pa.string(), messages_visible=pa.int64(), messages_in_flight=pa.int64(), dead_lettered=pa.int64(),
    stage_rows=pa.int64(), oldest_file_age_s=pa.float64(),
)  # fmt: skip


def _samples(exported: Exported) -> Iterator[Row]:
    for sample in exported.history.samples:
        for name, queue in sample["queues"].items():
            yield {
                "run": exported.run, "at": _at(sample["at_s"]), "type": name, "messages_visible": queue["visible"],
                "messages_in_flight": queue["in_flight"], "dead_lettered": queue["dead_lettered"],
                "stage_rows": (sample.get("stage_rows") or {}).get(name),
                "oldest_file_age_s": sample["oldest_age_s"],
            }  # fmt: skip


INVOCATIONS = _schema(
    function=pa.string(), request_id=pa.string(), environment_id=pa.string(), cold=pa.bool_(), started_at=AT,
    ended_at=AT, status=pa.string(), error_type=pa.string(), init_ms=pa.float64(), duration_ms=pa.float64(),
    host_wait_ms=pa.float64(), max_memory_mb=pa.float64(), message_ids=pa.list_(pa.string()),
    failed_message_ids=pa.list_(pa.string()), keys=pa.list_(pa.string()), highest_receive_count=pa.int64(),
)  # fmt: skip
AS_IN_TRACE = (
    "function", "request_id", "environment_id", "cold", "status", "error_type", "init_ms", "duration_ms",
    "host_wait_ms", "max_memory_mb",
)  # fmt: skip


def _invocations(exported: Exported) -> Iterator[Row]:
    for event in exported.history.invocations:
        messages = event["messages"]
        yield {
            "run": exported.run,
            **{name: event.get(name) for name in AS_IN_TRACE},
            "started_at": _at(event["start_s"]),
            "ended_at": _at(event["end_s"]),
            "message_ids": [message["message_id"] for message in messages],
            "failed_message_ids": event["batch_item_failures"],
            "keys": [key for message in messages for key in message["keys"]],
            "highest_receive_count": max((message["receive_count"] for message in messages), default=None),
        }


MERGES = _schema(
    merge_run=pa.int64(), type=pa.string(), due_at=AT, delayed_s=pa.float64(), started_at=AT, committed_at=AT,
    statement_number=pa.int64(), statement=pa.string(), rows=pa.int64(), error=pa.string(),
)  # fmt: skip


def _merges(exported: Exported) -> Iterator[Row]:
    for merge in exported.history.merges:
        for entry in merge.types:
            about = {
                "run": exported.run, "merge_run": merge.number, "type": entry["type"], "due_at": _at(merge.due_s),
                "delayed_s": merge.delayed_s, "started_at": _at(entry["started_s"]),
                "committed_at": _at(entry["committed_s"]), "error": entry["error"],
            }  # fmt: skip
            # a merge that failed at its first statement is a row too
            for number, step in enumerate(entry["rows"] or [{"statement": None, "rows": None}], start=1):
                yield {**about, "statement_number": number, **step}


QUERIES = _schema(
    started_at=AT, ended_at=AT, session=pa.int64(), transaction_id=pa.int64(), query_id=pa.int64(), kind=pa.string(),
    sql=pa.string(), rows=pa.int64(), bytes=pa.int64(), error=pa.string(),
)  # fmt: skip

AS_IN_QUERY_LOG = ("session", "transaction_id", "query_id", "kind", "sql", "rows", "bytes", "error")


def _queries(exported: Exported) -> Iterator[Row]:
    for line in exported.queries:
        yield {
            "run": exported.run,
            "started_at": _at(line.get("at_s")),
            "ended_at": _at(line.get("end_s")),
            **{name: line.get(name) for name in AS_IN_QUERY_LOG},
        }


TABLES = {
    "files": ExportTable(FILES, _files),
    "stages": ExportTable(STAGES, _stages),
    "samples": ExportTable(SAMPLES, _samples),
    "invocations": ExportTable(INVOCATIONS, _invocations),
    "merges": ExportTable(MERGES, _merges),
    "queries": ExportTable(QUERIES, _queries),
}

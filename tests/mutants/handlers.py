"""Handlers with one bug each: the real handler, one part of which does what people have really written."""

import datetime
import functools
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from handler import app, events, files, warehouse
from tests.mutants.mutant import mutant

Event = dict[str, Any]
Answer = dict[str, list[dict[str, str]]]
_decode, _copy, _append = files.decode, warehouse.wr.redshift.copy, warehouse.Warehouse.append
_objects_in = events.objects_in


def _with_table(change: Callable[[pa.Table], pa.Table], event: Event, context: object) -> Answer:
    """Run the real handler on tables that went through `change` after they were read."""
    files.decode = lambda *arguments: change(_decode(*arguments))
    return app.handler(event, context)


def _texts(table: pa.Table, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(at, field, change(table.column(at)))
    return table


@mutant("handler", "smoke", "nothing_lost", "1 of 200 records are not in the final table", quick=True)
def drops_the_last_record(event: Event, context: object) -> Answer:
    """Reads in chunks and drops the last record of a file."""
    return _with_table(lambda table: table.slice(0, table.num_rows - 1), event, context)


@mutant("handler", "smoke", "nothing_lost", "records are not in the final table")
def drops_records_with_a_missing_value(event: Event, context: object) -> Answer:
    """Calls dropna() to be rid of empty lines, and loses every record with a NULL in it."""
    return _with_table(lambda table: table.drop_null(), event, context)


@mutant("handler", "smoke", "nothing_lost", "records are not in the final table")
def removes_duplicates_by_name(event: Event, context: object) -> Answer:
    """Removes duplicates within a file by the customer's name instead of the key."""

    def change(table: pa.Table) -> pa.Table:
        first = pa.table({"name": table["customer_name"], "at": range(table.num_rows)}).group_by("name")
        return table.take(first.aggregate([("at", "min")])["at_min"].combine_chunks())

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_lost", "100 of 200 records are not in the final table")
def keeps_the_limit_of_a_test(event: Event, context: object) -> Answer:
    """Still has the limit of 100 records that somebody tried it with."""
    return _with_table(lambda table: table.slice(0, 100), event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def loses_text_that_is_not_ascii(event: Event, context: object) -> Answer:
    """Encodes text as ASCII and leaves out what does not fit: Łódź arrives as d."""

    def ascii_only(column: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.replace_substring_regex(column, r"[^\x00-\x7f]", "")

    return _with_table(lambda table: _texts(table, ascii_only), event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def trims_texts(event: Event, context: object) -> Answer:
    """Strips blanks from every text."""
    return _with_table(lambda table: _texts(table, pc.utf8_trim_whitespace), event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def takes_empty_text_for_null(event: Event, context: object) -> Answer:
    """Reads with pandas' defaults: an empty text arrives as NULL."""

    def emptied(column: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)

    return _with_table(lambda table: _texts(table, emptied), event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered", quick=True)
def rounds_amounts(event: Event, context: object) -> Answer:
    """Rounds amounts to one decimal place on the way through a float."""

    def change(table: pa.Table) -> pa.Table:
        rounded = pc.round(table["amount"].cast(pa.float64()), ndigits=1).cast(table.schema.field("amount").type)
        return table.set_column(table.column_names.index("amount"), table.schema.field("amount"), rounded)

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def takes_utc_for_local_time(event: Event, context: object) -> Answer:
    """Takes the timestamps, which are UTC, for the local time of an office one hour ahead."""

    def change(table: pa.Table) -> pa.Table:
        field = table.schema.field("updated_at")
        shifted = pc.subtract(table["updated_at"], pa.scalar(datetime.timedelta(hours=1)))
        return table.set_column(table.column_names.index("updated_at"), field, shifted.cast(field.type))

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def cuts_timestamps_to_milliseconds(event: Event, context: object) -> Answer:
    """Reads timestamps in milliseconds, which cuts three digits off."""

    def change(table: pa.Table) -> pa.Table:
        field = table.schema.field("updated_at")
        cut = table["updated_at"].cast(pa.timestamp("ms"), safe=False).cast(field.type)
        return table.set_column(table.column_names.index("updated_at"), field, cut)

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_lost", "200 of 200 records are not in the final table", "last seen")
def forgets_the_commit(event: Event, context: object) -> Answer:
    """Copies with commit_transaction=False and closes the connection: Redshift rolls back."""

    def append(self: Any, frame: pd.DataFrame) -> float:
        warehouse.wr.redshift.copy = functools.partial(_copy, commit_transaction=False)
        committed_at_s = _append(self, frame)
        self.disconnect()
        return committed_at_s

    warehouse.Warehouse.append = append  # type: ignore[method-assign]
    return app.handler(event, context)


_kept: list[pd.DataFrame] = []


@mutant("handler", "smoke", "nothing_lost", "200 of 200 records are not in the final table")
def keeps_files_in_memory(event: Event, context: object) -> Answer:
    """Answers at once and loads only every third file, together with the two before, to make fewer COPYs."""

    def append(self: Any, frame: pd.DataFrame) -> float:
        _kept.append(frame)
        if len(_kept) < 3:
            return 0.0
        together = pd.concat(_kept, ignore_index=True)
        _kept.clear()
        return _append(self, together)

    warehouse.Warehouse.append = append  # type: ignore[method-assign]
    return app.handler(event, context)


def _failures(answer: Answer) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@mutant("handler", "poison", "dead_letters", "did not reach a dead letter queue", quick=True)
def swallows_exceptions(event: Event, context: object) -> Answer:
    """Logs what went wrong and answers as if nothing had: the message is deleted."""
    app.handler(event, context)
    return {"batchItemFailures": []}


_BATCHES = {"batch_size": 4, "batch_window_s": 2}


@mutant("handler", "poison", "dead_letters", "on dead letter queues, only rejects were expected", queue=_BATCHES)
def fails_the_whole_batch(event: Event, context: object) -> Answer:
    """Raises when one file of a batch is broken, so that its good neighbours come back with it."""
    answer = app.handler(event, context)
    if failed := _failures(answer):
        raise RuntimeError(f"{len(failed)} files failed")
    return answer


@mutant("handler", "poison", "dead_letters", "did not reach a dead letter queue", queue=_BATCHES)
def reports_the_neighbour(event: Event, context: object) -> Answer:
    """Reports the message after the one that failed: an index off by one."""
    failed = set(_failures(app.handler(event, context)))
    messages = [record["messageId"] for record in event["Records"]]
    following = dict(zip(messages, [*messages[1:], messages[0]], strict=True))
    return {"batchItemFailures": [{"itemIdentifier": following[message_id]} for message_id in failed]}


@mutant("handler", "batched_events", "nothing_lost", "200 of 200 records are not in the final table")
def looks_at_the_first_event_only(event: Event, context: object) -> Answer:
    """Reads Records[0] of a message and ignores the others."""
    app.events.objects_in = lambda body: _objects_in(body)[:1]
    return app.handler(event, context)


@mutant("handler", "late_partition", "nothing_lost", "200 of 200 records are not in the final table")
def skips_other_days(event: Event, context: object) -> Answer:
    """Takes a file of an earlier day's partition for one that has been loaded."""
    app.events.objects_in = lambda body: tuple(found for found in _objects_in(body) if "dt=2026-01-01/" in found.key)
    return app.handler(event, context)


@mutant("handler", "smoke", "dead_letters", "on dead letter queues")
def does_not_decode_the_key(event: Event, context: object) -> Answer:
    """Uses the key as S3 sends it, percent-encoded: dt%3D2026-01-01 is not there."""
    events.unquote_plus = lambda key: key
    return app.handler(event, context)

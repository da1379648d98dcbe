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
_decode, _copy, _append = files.decode, warehouse.wr.redshift.copy_from_files, warehouse.Warehouse.append
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
        warehouse.wr.redshift.copy_from_files = functools.partial(_copy, commit_transaction=False)
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


# --- what follows is about lineage and state between files

# What the function remembers decides, so it has to be the same one that remembers.
_ONE_AT_A_TIME = {"reserved_concurrency": 1}


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def swaps_two_columns(event: Event, context: object) -> Answer:
    """Takes columns of the same type in the order of the file it was tried with: name and city change places."""

    def change(table: pa.Table) -> pa.Table:
        names = ["city" if n == "customer_name" else "customer_name" if n == "city" else n for n in table.column_names]
        return table.rename_columns(names).select(table.column_names)

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def folds_case(event: Event, context: object) -> Answer:
    """Lower-cases every text, so that it is easier to compare."""
    return _with_table(lambda table: _texts(table, pc.utf8_lower), event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def takes_amounts_for_cents(event: Event, context: object) -> Answer:
    """Takes amounts for cents and divides them by a hundred."""

    def change(table: pa.Table) -> pa.Table:
        at, field = table.column_names.index("amount"), table.schema.field("amount")
        scaled = pc.divide(table["amount"].cast(pa.float64()), 100.0)
        return table.set_column(at, field, pc.round(scaled, ndigits=2).cast(field.type))

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_altered", "records differ from what was delivered")
def reads_dates_the_american_way(event: Event, context: object) -> Answer:
    """Takes day and month for each other where that gives a date."""

    def swapped(day: datetime.date | None) -> datetime.date | None:
        return day.replace(month=day.day, day=day.month) if day is not None and day.day <= 12 else day

    def change(table: pa.Table) -> pa.Table:
        field = table.schema.field("updated_at")
        moved = [at and at.replace(month=at.day, day=at.month) if at and at.day <= 12 else at
                 for at in table["updated_at"].to_pylist()]  # fmt: skip
        table = table.set_column(table.column_names.index("updated_at"), field, pa.array(moved, field.type))
        field = table.schema.field("ordered_on")
        days = [swapped(day) for day in table["ordered_on"].to_pylist()]
        return table.set_column(table.column_names.index("ordered_on"), field, pa.array(days, field.type))

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_lost", "records are not in the final table")
def takes_the_first_record_for_a_header(event: Event, context: object) -> Answer:
    """Skips the first record of a file: its reader had taken the header already."""
    return _with_table(lambda table: table.slice(1), event, context)


@mutant("handler", "smoke", "dead_letters", "Cannot insert a NULL value into column updated_at")
def loads_the_header_as_a_record(event: Event, context: object) -> Answer:
    """Appends a record made of nothing to each file, as a header line that is read as one leaves behind."""

    def change(table: pa.Table) -> pa.Table:
        empty = {field.name: pa.array([None], field.type) for field in table.schema}
        empty["order_id"] = pa.array([0], table.schema.field("order_id").type)
        return pa.concat_tables([table, pa.table(empty, schema=table.schema)])

    return _with_table(change, event, context)


@mutant("handler", "smoke", "nothing_lost", "200 of 200 records are not in the final table")
def takes_files_of_one_size_for_the_same(event: Event, context: object) -> Answer:
    """Skips a file that has as many records as one it has loaded: it takes it for a second delivery."""

    def append(self: Any, frame: pd.DataFrame) -> float:
        if len(frame) in _sizes:
            return 0.0
        _sizes.add(len(frame))
        return _append(self, frame)

    warehouse.Warehouse.append = append  # type: ignore[method-assign]
    return app.handler(event, context)


_sizes: set[int] = set()


@mutant("handler", "out_of_order", "nothing_altered", "records differ from what was delivered", function=_ONE_AT_A_TIME)
def drops_keys_it_has_seen(event: Event, context: object) -> Answer:
    """Drops records whose key it has loaded from another file, newer or not."""

    def change(table: pa.Table) -> pa.Table:
        new = [key not in _seen_keys for key in table["order_id"].to_pylist()]
        _seen_keys.update(table["order_id"].to_pylist())
        # A file without records would be refused further on; this one keeps its first.
        return table.filter(pa.array(new)) if any(new) else table.slice(0, 1)

    return _with_table(change, event, context)


_seen_keys: set[int] = set()


@mutant("handler", "warehouse_lock", "nothing_lost", "200 of 200 records are not in the final table")
def takes_a_timeout_for_success(event: Event, context: object) -> Answer:
    """Waits half a second for the COPY and then goes on as if it had been done."""

    def append(self: Any, frame: pd.DataFrame) -> float:
        self.connect()
        with self._connection.cursor() as cursor:
            cursor.execute("SET statement_timeout TO 500")
        try:
            return _append(self, frame)
        except Exception:  # noqa: BLE001 - the bug
            self.disconnect()
            return 0.0

    warehouse.Warehouse.append = append  # type: ignore[method-assign]
    return app.handler(event, context)


@mutant("handler", "disk_full", "nothing_lost", "200 of 200 records are not in the final table")
def takes_a_refused_copy_for_done(event: Event, context: object) -> Answer:
    """Catches the error of a COPY, logs a warning and goes on to the next file."""

    def append(self: Any, frame: pd.DataFrame) -> float:
        try:
            return _append(self, frame)
        except Exception:  # noqa: BLE001 - the bug
            self.disconnect()
            return 0.0

    warehouse.Warehouse.append = append  # type: ignore[method-assign]
    return app.handler(event, context)


@mutant("handler", "smoke", "nothing_unexpected", "source_file names no delivered file")
def writes_the_wrong_lineage(event: Event, context: object) -> Answer:
    """Writes the name of the file without its path as the lineage of its records."""
    app.with_lineage = lambda table, key, at: _with_lineage(table, key.rpartition("/")[2], at)
    return app.handler(event, context)


_with_lineage = app.with_lineage


@mutant("handler", "smoke", "nothing_lost", "200 of 200 records are not in the final table", function=_ONE_AT_A_TIME)
def marks_a_file_before_it_is_loaded(event: Event, context: object) -> Answer:
    """Notes a file as done before it has loaded it: one whose first attempt fails is skipped when it comes again."""
    for record in event["Records"]:
        for found in _objects_in(record["body"]):
            if found.key in _marked:
                return {"batchItemFailures": []}
            _marked.add(found.key)
    if len(_marked) % 2 == 0:
        raise RuntimeError("the warehouse was busy")
    return app.handler(event, context)


_marked: set[str] = set()

"""What a merge made queryable, against a real PostgreSQL."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import sql
from harness.history import Attempt, FileHistory
from harness.merge import MergeRun, TypeMerge
from harness.merged import EXTENDED_AT_ONCE_BLOCKS, Added, record_merged
from harness.probes import Watched
from harness.stack.endpoints import Endpoints

MERGE = TypeMerge("orders", started_s=20.0, committed_s=21.0, rows=(), error=None)


@pytest.fixture
def connection(postgres_only: Endpoints) -> Iterator[Any]:
    with sql.backend(postgres_only) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA merged")
            cursor.execute("CREATE TABLE merged.stage (source_file varchar, n int)")
            cursor.execute("CREATE TABLE merged.final (source_file varchar, n int) WITH (autovacuum_enabled = false)")
            yield connection
            cursor.execute("DROP SCHEMA merged CASCADE")


def insert(connection: Any, file: str, rows: int, table: str = "merged.final") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} SELECT %s, n FROM generate_series(1, %s) AS n", (file, rows))


def run(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_look_reads_what_was_added_since_the_last_one(connection: Any) -> None:
    added = Added()
    insert(connection, "a", 100_000)
    assert added.rows_by_file(connection, "merged.final") == {"a": 100_000}
    insert(connection, "b", 100_000)
    insert(connection, "c", 7)
    counts = added.rows_by_file(connection, "merged.final")
    assert (counts["b"], counts["c"]) == (100_000, 7)
    assert 0 < counts["a"] < 100_000  # the blocks of the margin
    run(connection, "VACUUM merged.final")
    assert added.rows_by_file(connection, "merged.final").get("a", 0) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('merged.final') / 8192")
        assert cursor.fetchone()[0] > 4 * EXTENDED_AT_ONCE_BLOCKS


def test_a_table_that_was_made_anew_is_read_whole(connection: Any) -> None:
    added = Added()
    insert(connection, "a", 100_000)
    added.rows_by_file(connection, "merged.final")
    run(connection, "TRUNCATE merged.final")
    insert(connection, "b", 100_000)
    insert(connection, "b", 100_000)
    assert added.rows_by_file(connection, "merged.final") == {"b": 200_000}


def test_a_table_that_became_shorter_is_read_whole(connection: Any) -> None:
    added = Added()
    insert(connection, "a", 100_000)
    added.rows_by_file(connection, "merged.final")
    run(connection, "DELETE FROM merged.final")
    run(connection, "VACUUM merged.final")
    insert(connection, "b", 50_000)
    assert added.rows_by_file(connection, "merged.final") == {"b": 50_000}


def watched(*files: FileHistory) -> tuple[Watched, dict[str, list[str]]]:
    """What a probe knows, of a pipeline with one type; and the keys of each event that it writes."""
    events: dict[str, list[str]] = {}
    settings = SimpleNamespace(stage_table="merged.stage", final_table="merged.final")
    known = SimpleNamespace(
        pipeline=SimpleNamespace(types={"orders": settings}),
        history=SimpleNamespace(files={file.key: file for file in files}),
        ledger=SimpleNamespace(append=lambda event, **fields: events.setdefault(event, []).extend(fields["keys"])),
    )
    return cast(Watched, known), events


def file(key: str, records: int = 10, loaded_s: float | None = 19.0) -> FileHistory:
    attempts = [] if loaded_s is None else [Attempt("r", "f", False, loaded_s - 1, loaded_s, "ok", True, 1, "m", None)]
    return FileHistory(0, "orders", key, records, 0.0, intended_s=1.0, acknowledged_s=2.0, attempts=attempts)


def look(connection: Any, *files: FileHistory, added: Added | None = None) -> dict[str, list[str]]:
    probe, events = watched(*files)
    record_merged(probe, MergeRun(1, 20.0, 20.0, 21.0, 0.0, (MERGE,)), connection, added or Added())
    return events


def test_a_file_whose_records_were_all_added_is_merged(connection: Any) -> None:
    insert(connection, "whole", 10)
    insert(connection, "unseen", 10)
    insert(connection, "part", 9)
    insert(connection, "part", 1, "merged.stage")
    files = (file("whole"), file("unseen", loaded_s=None), file("part"), file("late", loaded_s=20.5), file("missing"))
    assert look(connection, *files) == {"merged": ["whole", "unseen"], "left_stage": ["missing"]}


def test_a_file_with_some_records_superseded_is_merged_once_it_has_left_the_stage(connection: Any) -> None:
    insert(connection, "part", 9)
    assert look(connection, file("part")) == {"merged": ["part"]}


def test_a_file_whose_rows_took_the_place_of_others_is_found(connection: Any) -> None:
    added = Added()
    insert(connection, "a", 100_000)
    added.rows_by_file(connection, "merged.final")
    run(connection, "DELETE FROM merged.final WHERE n < 10000")
    run(connection, "VACUUM merged.final")
    insert(connection, "b", 10)
    assert look(connection, file("b"), file("c"), added=added) == {"merged": ["b"], "left_stage": ["c"]}


def test_a_merge_that_was_rolled_back_settles_nothing(connection: Any) -> None:
    probe, events = watched(file("a"))
    failed = TypeMerge("orders", 20.0, None, (), "no")
    record_merged(probe, MergeRun(1, 20.0, 20.0, 21.0, 0.0, (failed,)), connection, Added())
    assert events == {}

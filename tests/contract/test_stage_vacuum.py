"""A stage table that is filled all the time and emptied by merges stays small: autovacuum gets its turn."""

import threading
import time

import pytest

from harness import sql
from harness.bench.parts import warehouse_alone
from harness.redshift.locks import LOCK
from harness.stack.endpoints import Endpoints

COPIES = 2
ROWS_OF_A_COPY = 2_000
HOLDS_LOCK_S = 0.05
MERGE_EVERY_S = 5.0
MERGES = 8

pytestmark = pytest.mark.slow


def _keep_copying(endpoints: Endpoints, stop: threading.Event) -> None:
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        while not stop.is_set():
            cursor.execute(LOCK.format("staged"))
            cursor.execute("INSERT INTO staged SELECT n, repeat('x', 100) FROM generate_series(1, %s) AS n",
                           (ROWS_OF_A_COPY,))  # fmt: skip
            cursor.execute("SELECT pg_sleep(%s)", (HOLDS_LOCK_S,))
            connection.commit()


def _fullest_and_pages(endpoints: Endpoints) -> tuple[int, int]:
    """The most rows that a merge found, and the pages of the table at the end."""
    stop = threading.Event()
    copies = [threading.Thread(target=_keep_copying, args=(endpoints, stop)) for _ in range(COPIES)]
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE TABLE staged (n int, text varchar)")
        for copy in copies:
            copy.start()
        try:
            merged = []
            for _ in range(MERGES):
                time.sleep(MERGE_EVERY_S)  # the schedule of the merge, which is what is tested
                cursor.execute("DELETE FROM staged")
                merged.append(cursor.rowcount)
        finally:
            stop.set()
            for copy in copies:
                copy.join()
        cursor.execute("SELECT pg_relation_size('staged') / current_setting('block_size')::int")
        (pages,) = cursor.fetchone() or (0,)
    return max(merged), pages


def _pages_of(endpoints: Endpoints, rows: int) -> int:
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE alone AS SELECT n, repeat('x', 100)::varchar AS text "
                       "FROM generate_series(1, %s) AS n", (rows,))  # fmt: skip
        cursor.execute("SELECT pg_relation_size('alone') / current_setting('block_size')::int")
        (pages,) = cursor.fetchone() or (0,)
    return int(pages)


@pytest.mark.timeout(180)
def test_the_stage_does_not_grow_with_what_was_ever_staged() -> None:
    with warehouse_alone() as (endpoints, _):
        rows, pages = _fullest_and_pages(endpoints)
        assert rows > 10 * ROWS_OF_A_COPY
        assert pages <= 4 * _pages_of(endpoints, rows)

"""Deleted rows are vacuumed by the stand-in itself, also where somebody always waits for the table."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, oddly named

from harness.redshift.connect import Address
from harness.redshift.vacuum import DELETED_ROWS_MIN, AutomaticVacuum, forget_emptiness, vacuum
from tests.contract.redshift.conftest import Postgres

TABLE = 'emptied "by; merges'
QUOTED = '"emptied ""by; merges"'


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    """A database that no gateway looks after."""
    return f"postgresql://nrt@127.0.0.1:{postgres.port}/postgres"


@pytest.fixture
def backend(dsn: str) -> Iterator[Connection]:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    yield connection
    with connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {QUOTED}")
    connection.close()


def _fill(backend: Connection, rows: int) -> None:
    with backend.cursor() as cursor:
        cursor.execute(f"create table {QUOTED} as select n from generate_series(1, {rows}) as n")


def _delete(backend: Connection, rows: int) -> None:
    with backend.cursor() as cursor:
        cursor.execute(f"delete from {QUOTED} where n <= {rows}")
        cursor.execute("select pg_stat_force_next_flush()")


def _value(backend: Connection, sql: str) -> object:
    with backend.cursor() as cursor:
        cursor.execute(sql)
        (value,) = cursor.fetchone() or (None,)
    return value


def _until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_table_that_is_mostly_deleted_is_vacuumed(backend: Connection) -> None:
    _fill(backend, 2 * DELETED_ROWS_MIN)
    assert f"public.{QUOTED}" not in vacuum(backend)
    _delete(backend, DELETED_ROWS_MIN + 1)
    assert f"public.{QUOTED}" in vacuum(backend)
    assert f"public.{QUOTED}" not in vacuum(backend)


def test_a_table_that_is_mostly_there_is_left_alone(backend: Connection) -> None:
    _fill(backend, 3 * DELETED_ROWS_MIN)
    _delete(backend, DELETED_ROWS_MIN + 1)
    assert f"public.{QUOTED}" not in vacuum(backend)


def test_the_next_merge_is_not_planned_for_the_row_that_an_emptied_table_has(backend: Connection) -> None:
    _fill(backend, 3 * DELETED_ROWS_MIN)
    _delete(backend, 3 * DELETED_ROWS_MIN)
    vacuum(backend)
    planned = f"explain (format json) select * from {QUOTED}"
    rows: Any = _value(backend, planned)
    assert rows[0]["Plan"]["Plan Rows"] == 1
    assert f"public.{QUOTED}" in forget_emptiness(backend)
    rows = _value(backend, planned)
    assert rows[0]["Plan"]["Plan Rows"] > DELETED_ROWS_MIN
    assert f"public.{QUOTED}" not in forget_emptiness(backend)


def test_a_table_of_no_pages_or_with_rows_is_not_forgotten(backend: Connection) -> None:
    _fill(backend, DELETED_ROWS_MIN)
    _value(backend, f"select 1; analyze {QUOTED}; select 1")
    assert f"public.{QUOTED}" not in forget_emptiness(backend)
    _value(backend, f"truncate {QUOTED}; analyze {QUOTED}; select 1")
    assert f"public.{QUOTED}" not in forget_emptiness(backend)


_HERE = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
_WAITING = f"select pid {_HERE} and query like 'vacuum%' and wait_event_type = 'Lock'"
_LOOKS = f"{_HERE} and query ~ 'n_dead_tup|reltuples'"


def test_it_waits_for_its_turn_and_does_not_keep_the_gateway_from_ending(backend: Connection, dsn: str) -> None:
    _fill(backend, DELETED_ROWS_MIN)
    _delete(backend, DELETED_ROWS_MIN)
    automatic = AutomaticVacuum(Address.from_dsn(dsn))
    with psycopg2.connect(dsn) as writer, writer.cursor() as cursor:
        cursor.execute(f"lock table {QUOTED} in share row exclusive mode")
        _until(lambda: _value(backend, _WAITING))
        automatic.close()
        assert _value(backend, _WAITING) is None
    writer.close()


def test_it_comes_back_with_the_warehouse(backend: Connection, dsn: str) -> None:
    automatic = AutomaticVacuum(Address.from_dsn(dsn))
    try:
        _until(lambda: _value(backend, f"select pid {_LOOKS}"))
        _value(backend, f"select pg_terminate_backend(pid) {_LOOKS}")
        _fill(backend, DELETED_ROWS_MIN)
        _delete(backend, DELETED_ROWS_MIN)
        _until(lambda: _value(backend, f"select n_dead_tup = 0 from pg_stat_user_tables where relname = '{TABLE}'"))
        _until(lambda: _value(backend, f"select reltuples < 0 from pg_class where relname = '{TABLE}'"))
    finally:
        automatic.close()

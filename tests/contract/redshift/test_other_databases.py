"""SHOW of another database of the cluster. Source: Database Developer Guide, the page of each command."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest

from harness.redshift import Listening

PASSWORD, USER = "Secret-Passw0rd", "awsuser"
Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented


@pytest.fixture
def other(sql: Sql) -> Iterator[str]:
    """The name of a second database, which no session is in."""
    name = f"other_{secrets.token_hex(6)}"
    sql(f"create database {name}")
    yield name
    sql(f"drop database {name}")


def _run_in(gateway: Listening, database: str, script: str) -> None:
    connection = psycopg2.connect(
        host=gateway.host, port=gateway.port, user=USER, password=PASSWORD, dbname=database, sslmode="verify-full",
        sslrootcert=str(gateway.ca_file),
    )  # fmt: skip
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(script)
    finally:
        connection.close()


MADE = """
    create schema sales; create table sales.parent (i int primary key);
    create table sales.child (a varchar(7) not null, "it's a \\" int references sales.parent);
    create procedure sales.fill(n int, note out varchar(9)) as $$ begin note := 'x'; end; $$ language plpgsql;
    create function sales.twice(int) returns int stable as $$ select 2 * $1 $$ language sql;
    grant select on sales.parent to public; grant select (a) on sales.child to public
"""


@source("SHOW TABLES")
def test_each_show_reads_the_database_it_names(gateway: Listening, sql: Sql, other: str) -> None:
    _run_in(gateway, other, MADE)
    assert sql(f"show schemas from database {other} like 'sales'")[0][:2] == (other, "sales")
    assert [row[:4] for row in sql(f"show tables from schema {other}.sales")] == [
        (other, "sales", "child", "TABLE"), (other, "sales", "parent", "TABLE"),
    ]  # fmt: skip
    assert [row[2] for row in sql(f"show tables from schema {other}.sales like 'p%' limit 1")] == ["parent"]
    columns = sql(f"show columns from table {other}.sales.child")
    assert [(row[0], row[3], row[4], row[6], row[7], row[8]) for row in columns] == [
        (other, "a", 1, "NO", "character varying", 7), (other, "it's a \\", 2, "YES", "integer", None),
    ]  # fmt: skip
    assert [row[:3] for row in sql(f"show constraints primary keys from table {other}.sales.parent")] == [
        (other, "sales", "parent")
    ]
    assert [row[:8] for row in sql(f"show constraints foreign keys from table {other}.sales.child")] == [
        (other, "sales", "parent", "i", other, "sales", "child", "it's a \\")
    ]
    assert len(sql(f"show constraints foreign keys exported from table {other}.sales.parent")) == 1
    assert [row[2] for row in sql(f"show procedures from schema {other}.sales")] == ["fill"]
    assert [row[2] for row in sql(f"show functions from schema {other}.sales")] == ["twice"]
    assert [row[3] for row in sql(f"show parameters of procedure {other}.sales.fill(int)")] == ["n", "note"]
    assert [row[2] for row in sql(f"show grants on table {other}.sales.parent for public")] == ["parent"]
    assert [row[3] for row in sql(f"show column grants on table {other}.sales.child")] == ["a"]
    assert {row[2] for row in sql(f"show grants for public from database {other}")} >= {"parent"}
    assert sql(f"show grants on database {other}")[0][0] == other


@source("SHOW TABLES")
def test_nothing_of_it_shows_up_in_ones_own(gateway: Listening, sql: Sql, other: str, schema: str) -> None:
    _run_in(gateway, other, MADE)
    assert sql(f"show tables from schema {other}.sales") != []
    assert sql("show tables from schema dev.sales") == []
    assert sql("show tables from schema sales") == []
    assert sql(f"show tables from schema {other}.{schema}") == []
    assert sql(f"show tables from schema {other}_.sales") == []  # no such database


@source("SHOW DATABASES")
def test_databases_are_those_of_the_cluster(sql: Sql, other: str) -> None:
    assert {row[0] for row in sql("show databases")} >= {"dev", other}
    assert not {"postgres", "template0", "template1"} & {row[0] for row in sql("show databases")}


@source("SHOW TABLES")
def test_of_a_prepared_statement(gateway: Listening, connect: Connect, other: str) -> None:
    """Names as parameters, as drivers give them; within a transaction, and again after what changed."""
    _run_in(gateway, other, MADE)
    cursor = connect().cursor()
    shown = "show tables from schema %s.%s like %s"
    for name, found in (("p%", ["parent"]), ("c%", ["child"]), ("x%", [])):
        cursor.execute(shown, (other, "sales", name))
        assert [row[2] for row in cursor.fetchall()] == found
    _run_in(gateway, other, "create table sales.x1 (a int)")
    cursor.execute(shown, (other, "sales", "x%"))
    assert [row[2] for row in cursor.fetchall()] == ["x1"]
    cursor.execute(shown, ("dev", "sales", "%"))
    assert cursor.fetchall() == ()
    for place in (
        (other, "sales\0", "%"),
        (other, "sales", "p\0%"),
        ("dev", "public\0", "%"),
        ("dev\0", "public", "%"),
    ):
        cursor.execute(shown, place)  # as redshift_connector's tests have it
        assert cursor.fetchall() == ()


@source("SHOW TABLES")
def test_several_in_one_message_and_one_that_failed_before(
    psycopg: Callable[[], Any], gateway: Listening, other: str
) -> None:
    _run_in(gateway, other, MADE)
    connection = psycopg()
    cursor = connection.cursor()
    cursor.execute(f"show tables from schema public; show tables from schema {other}.sales limit 1")
    assert [row[2] for row in cursor.fetchall()] == ["child"]
    cursor.execute("begin")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        cursor.execute("select 1 / 0")
    with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
        cursor.execute(f"show tables from schema {other}.sales")
    cursor.execute("rollback")
    cursor.execute(f"show tables from schema {other}.sales")
    assert cursor.rowcount == 2


@pytest.mark.parametrize("version", [0, 2])
def test_the_driver_looks_into_every_database(
    gateway: Listening, connect: Connect, other: str, schema: str, version: int
) -> None:
    _run_in(gateway, other, MADE)
    connection = connect(client_protocol_version=version, database_metadata_current_db_only=False)
    cursor = connection.cursor()
    cursor.execute("create table here (a int)")
    assert [row[:3] for row in cursor.get_tables(other, "sales", None)] == [
        [other, "sales", "child"], [other, "sales", "parent"],
    ]  # fmt: skip
    assert [row[2] for row in cursor.get_tables("dev", schema, None)] == ["here"]
    assert {row[0] for row in cursor.get_schemas(None, "sales")} == {"sales"}
    assert [row[3] for row in cursor.get_primary_keys(other, "sales", "parent")] == ["i"]
    only_here = connect(client_protocol_version=version).cursor()
    assert only_here.get_tables(other, "sales", None) == ()


@source("SHOW SCHEMAS")
def test_a_database_can_be_dropped_after_it_was_shown(sql: Sql) -> None:
    name = f"other_{secrets.token_hex(6)}"
    for _ in range(2):
        sql(f"create database {name}")
        assert ("public",) in [row[1:2] for row in sql(f"show schemas from database {name}")]
        sql(f"drop database {name}")


@source("CREATE DATABASE")
def test_a_database_that_there_is_not_cannot_be_entered(gateway: Listening) -> None:
    with pytest.raises(psycopg2.OperationalError, match='database "nowhere" does not exist'):
        _run_in(gateway, "nowhere", "select 1")


def test_sessions_in_several_databases_begin_at_the_same_time(gateway: Listening, sql: Sql) -> None:
    """What each needs in its database is its own; the user, which all share, is not touched."""
    names = [f"other_{secrets.token_hex(6)}" for _ in range(4)]
    for name in names:
        sql(f"create database {name}")
    try:
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda name: _run_in(gateway, name, "select 1"), names * 8))
    finally:
        for name in names:
            sql(f"drop database {name}")

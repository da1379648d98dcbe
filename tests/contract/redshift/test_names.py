"""How names are spelt. Source: Database Developer Guide."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented
COLUMNS = "select column_name from svv_columns where table_schema = %s order by ordinal_position"
TABLES = "select tablename from pg_tables where schemaname = %s order by 1"


@source("enable_case_sensitive_identifier")
def test_names_in_quotes_are_folded(sql: Sql, schema: str) -> None:
    sql('create table "MixedCasedTable2" ("MixedCasedColumn" int, "Has ""Quotes""" int)')
    with pytest.raises(psycopg2.errors.DuplicateTable):
        sql("create table MixedCasedTable2 (MixedCasedColumn int)")
    sql('insert into "MIXEDCASEDTABLE2" ("MixedCasedColumn") values (1)')
    assert sql('select t."MixedCasedColumn" from mixedcasedtable2 "T" join "mixedcasedtable2" on true') == [(1,)]
    assert sql(COLUMNS, schema) == [("mixedcasedcolumn",), ('has "quotes"',)]


@source("enable_case_sensitive_identifier")
def test_names_in_quotes_are_kept_if_the_session_says_so(sql: Sql, schema: str) -> None:
    sql("set enable_case_sensitive_identifier to true")
    sql('create table "MixedCasedTable" ("MixedCasedColumn" int); create table MixedCasedTable (MixedCasedColumn int)')
    assert sql(TABLES, schema) == [("MixedCasedTable",), ("mixedcasedtable",)]
    sql('insert into "MixedCasedTable" values (1)')
    assert sql('select "MixedCasedColumn" from "MixedCasedTable"') == [(1,)]
    sql("reset enable_case_sensitive_identifier")
    assert sql('select "MixedCasedColumn" from "MixedCasedTable"') == []


@source("enable_case_sensitive_identifier")
@pytest.mark.parametrize("value", ["on", "true", "'true'"])
def test_the_setting_ends_with_a_transaction_that_rolls_back(psycopg: Connect, value: str) -> None:
    connection = psycopg()
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute(f"set enable_case_sensitive_identifier to {value}")
    cursor.execute('select 1 as "Column"')
    assert cursor.description[0].name == "Column"
    connection.rollback()
    cursor.execute('select 1 as "Column"')
    assert cursor.description[0].name == "column"


@source("Names and identifiers")
@pytest.mark.parametrize(("query", "names"), [
    ('select 1 as "Ärger", 2 as "ÀB"', ["Ärger", "Àb"]),
    ("select '\"A\"' as \"A\" -- \"B\"", ["a"]),
    ('select "A" + 1 as "B" from (select 1 as "A") "C"', ["b"]),
    ('select "A" as "B", "B" + 1 as "C" from (select 1 as "A") q', ["b", "c"]),
    ("select * from (select 1 as \"Key\", 'x' as \"Kind\", 2 as \"N\") "
     "pivot (sum(\"N\") for \"Kind\" in ('x' as \"X\"))", ["key", "x"]),
])  # fmt: skip
def test_only_ascii_letters_of_names_are_folded(psycopg: Connect, query: str, names: list[str]) -> None:
    cursor = psycopg().cursor()
    cursor.execute(query)
    assert [column.name for column in cursor.description] == names


@source("Names and identifiers")
def test_names_in_quotes_are_folded_for_a_driver_that_prepares(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute('create table "Orders" ("Id" int)')
    cursor.execute('insert into "Orders" ("Id") values (%s)', (7,))
    cursor.execute('select o."Id" as "Of" from "orders" o where "ID" = %s', (7,))
    assert cursor.fetchall() == ([7],)
    assert [name.lower() for name, *_ in cursor.description] == [name for name, *_ in cursor.description] == ["of"]


@source("enable_case_sensitive_identifier")
def test_a_users_name_in_quotes_is_kept(sql: Sql, schema: str) -> None:
    name = f"{schema}_U"
    sql(f'create user "{name}" password disable')
    try:
        sql(f'create table "T" (a int); grant select on "T" to "{name}"; revoke select on "T" from "{name}"')
        sql(f'alter user "{name}" createdb; alter table "T" owner to "{name}"')
        assert sql("select tableowner from pg_tables where schemaname = %s", schema) == [(name,)]
        sql('drop table "T"')
    finally:
        sql(f'drop user "{name}"')


@source("CREATE PROCEDURE")
def test_names_in_a_procedure_are_folded(sql: Sql) -> None:
    sql('create table "Seen" ("At" int)')
    sql('create procedure "Add"(n int) as $$ begin insert into "Seen" ("At") values (n); end $$ language plpgsql')
    sql('call "ADD"(3)')
    assert sql("select at from seen") == [(3,)]


@source("SYS_QUERY_HISTORY")
def test_the_query_log_has_names_as_they_were_written(sql: Sql, schema: str) -> None:
    query = f'select 1 as "Of_{schema.upper()}"'
    sql(query)
    assert sql("select query_text from sys_query_history where query_text = %s", query)


@source("Isolation levels in Amazon Redshift")
def test_asking_how_names_are_spelt_takes_no_snapshot(connect: Connect, psycopg: Connect, sql: Sql) -> None:
    """The write lock comes before the snapshot, so that a writer who waited sees what the first one did."""
    sql("create table t (a int); insert into t values (1)")
    first, second = psycopg(), connect()
    first.autocommit = False
    first.cursor().execute("update t set a = a + 1")

    def write() -> None:
        second.cursor().execute('update "T" set "A" = "A" + %s', (1,))
        second.commit()

    thread = Thread(target=write)
    thread.start()
    while sql("select count(*) from stv_locks where lock_status like 'Waiting%%'", "") == [(0,)]:
        pass
    first.commit()
    thread.join()
    assert sql("select a from t") == [(3,)]


@source("UNLOAD")
def test_names_in_an_unloaded_query_are_folded_as_the_session_has_it(sql: Sql, prefix: str) -> None:
    sql('create table "Orders" ("Id" int); insert into "Orders" values (1)')
    target = f"to 's3://landing/{prefix}' iam_role 'arn:aws:iam::000000000000:role/unload'"
    sql(f'unload (\'select "Id" from "Orders"\') {target} allowoverwrite')
    sql("set enable_case_sensitive_identifier to on")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        sql(f'unload (\'select "Id" from "Orders"\') {target} allowoverwrite')

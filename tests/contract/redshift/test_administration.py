"""Statements of administrators about tables, sessions, schemas and roles. Source: Database Developer Guide."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented


@source("SHOW TABLE")
def test_show_table_makes_it_again(sql: Sql, schema: str) -> None:
    sql(
        "create table sales (salesid integer not null, listid integer not null distkey, dateid smallint not null"
        " sortkey, pricepaid decimal(8,2) default 1.5, note varchar(10) encode lzo, number int identity(5,2),"
        " primary key (salesid))"
    )
    ((shown,),) = sql("show table sales")
    assert shown == (
        f"CREATE TABLE {schema}.sales (\n"
        "    salesid integer NOT NULL ENCODE az64,\n"
        "    listid integer NOT NULL ENCODE az64 distkey,\n"
        "    dateid smallint NOT NULL ENCODE raw,\n"
        "    pricepaid numeric(8,2) DEFAULT 1.5 ENCODE az64,\n"
        "    note character varying(10) ENCODE lzo,\n"
        "    number integer IDENTITY(5,2) ENCODE az64,\n"
        "    PRIMARY KEY (salesid)\n"
        ")\nDISTSTYLE KEY\nSORTKEY ( dateid );"
    )
    sql("drop table sales")
    sql(shown)
    assert sql("show table sales") == [(shown,)]


@source("SHOW VIEW")
def test_show_view(psycopg: Callable[[], Any], schema: str) -> None:
    cursor = psycopg().cursor()
    cursor.execute("create table a (x int); create view seen as select x from a")
    cursor.execute(f"create view late as select x from {schema}.a with no schema binding")
    cursor.execute("show view seen")
    assert cursor.description[0].name == "Show View DDL statement"
    ((shown,),) = cursor.fetchall()
    assert shown.replace("a.x", "x") == " SELECT x\n   FROM a;"  # PostgreSQL 15 names the table
    cursor.execute("show view late")
    assert cursor.fetchall() == [(f"create view late as select x from {schema}.a with no schema binding",)]
    cursor.execute(
        "create view dated as select extract(year from date '2024-01-02') as y, regexp_count('a', 'a') as n, avg(x)"
        " from a"
    )
    cursor.execute("show view dated")
    ((shown,),) = cursor.fetchall()
    assert "date_part('year'::text, '2024-01-02'::date) AS y" in shown
    cursor.execute(
        "create view parts as select extract(ms from timestamp '2024-01-02 03:04:05.6') as a,"
        " extract(decade from date '2024-01-02') as b, date_part(sec, timestamp '2024-01-02 03:04:05.6') as c,"
        " extract(hour from timetz '10:00:00+02') as d, concat('a', x) as e, to_date('2024', 'YYYY') as f from a"
    )
    cursor.execute("insert into a values (1)")
    cursor.execute("show view parts")
    ((shown,),) = cursor.fetchall()
    cursor.execute(f"create view again as {shown}")
    for view in ("parts", "again"):
        cursor.execute(f"select a, b, c, d, e, f from {view}")
        assert cursor.fetchall() == [(600, 203, 5.6, 10, "a1", dt.date(2024, 1, 1))]
    cursor.execute("show view dated")
    ((shown,),) = cursor.fetchall()
    assert "redshift_internal" not in shown


@source("SHOW TABLE")
@pytest.mark.parametrize("statement", ["show table seen", "show view a", "show table nowhere", "show table a b"])
def test_show_of_something_else(sql: Sql, statement: str) -> None:
    sql("create table a (x int); create view seen as select x from a")
    with pytest.raises(psycopg2.Error, match=r"is not a table|is not a view|does not exist|syntax error"):
        sql(statement)


@source("SHOW")
def test_show_all_is_of_redshift(sql: Sql) -> None:
    sql("set query_group to 'loads'")
    shown = dict(sql("show all"))
    assert shown["query_group"] == "loads"
    assert shown["analyze_threshold_percent"] == "10"
    assert {"datestyle", "extra_float_digits", "search_path", "statement_timeout"} <= set(shown)
    assert not {"fsync", "shared_buffers"} & set(shown)


@source("ANALYZE")
@pytest.mark.parametrize("clause", ["", " predicate columns", " all columns", "(x)", "(x) predicate columns"])
def test_analyze(sql: Sql, clause: str) -> None:
    sql("create table a (x int, y int)")
    sql("insert into a values (1, 2)")
    sql(f"analyze a{clause}")
    assert sql("select reltuples from pg_class where oid = 'a'::regclass") == [(1.0,)]
    sql("create table #b (x int, y int)")
    sql(f"analyze #b{clause}")


@source("ANALYZE COMPRESSION")
def test_analyze_compression_is_refused(sql: Sql) -> None:
    sql("create table a (x int)")
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="ANALYZE COMPRESSION"):
        sql("analyze compression a")


@source("CANCEL")
@pytest.mark.parametrize("message", ["", " 'Long-running query'"])
def test_cancel_ends_another_sessions_query(psycopg: Callable[[], Any], sql: Sql, message: str) -> None:
    running = psycopg()
    with running.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (pid,) = cursor.fetchone()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with running.cursor() as cursor:
                cursor.execute("select pg_sleep(60)")
        except psycopg2.Error as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not sql(f"select 1 from stv_recents where pid = {pid} and status = 'Running' and query like '%pg_sleep%'"):
        assert thread.is_alive(), failed
    sql(f"cancel {pid}{message}")
    thread.join(30)
    assert isinstance(failed[0], psycopg2.errors.QueryCanceled)


@source("DROP ROLE")
def test_a_user_is_no_role_and_what_a_role_owns_stays(sql: Sql, schema: str) -> None:
    user, group = f"{schema}_owner", f"{schema}_group"
    sql(f"create user {user} password 'Abcd1234'; create group {group}")
    sql(f"create table kept (a int); alter table kept owner to {user}")
    try:
        for name in (user, group):
            with pytest.raises(psycopg2.Error, match="does not exist"):
                sql(f"drop role {name} force")
        assert sql("select count(*) from kept") == [(0,)]
    finally:
        sql(f"alter table kept owner to awsuser; drop user {user}; drop group {group}")


@source("CANCEL")
def test_cancel_of_nobody(sql: Sql) -> None:
    with pytest.raises(psycopg2.Error, match=r"^Session 2147483647 does not exist\."):
        sql("cancel 2147483647")
    with pytest.raises(psycopg2.Error, match=r"^Session 99999999999 does not exist\."):
        sql("cancel 99999999999")
    for wrong in ("cancel", "cancel 1 2", "cancel 'x'", "cancel 1 'x' y"):
        with pytest.raises(psycopg2.errors.SyntaxError):
            sql(wrong)


@source("CREATE SCHEMA")
def test_a_schema_may_have_a_quota(sql: Sql, schema: str) -> None:
    name = f"{schema}_limited"
    try:
        sql(f"create schema {name} quota 50 GB")
        sql(f"alter schema {name} quota 300 MB")
        sql(f"alter schema {name} quota unlimited")
        sql(f"alter schema {name} rename to quota")
        sql(f"alter schema quota rename to {name}")
        with pytest.raises(psycopg2.Error, match="does not exist"):
            sql(f"alter schema {name}_missing quota unlimited")
        for wrong in ("quota", "quota much", "quota 3 XB", "quota 3 GB more"):
            with pytest.raises(psycopg2.errors.SyntaxError):
                sql(f"alter schema {name} {wrong}")
    finally:
        sql(f"drop schema if exists {name}")


@source("DROP ROLE")
def test_a_granted_role_is_dropped_by_force(sql: Sql, schema: str) -> None:
    role, renamed, user = f"{schema}_role", f"{schema}_renamed", f"{schema}_user"
    sql(f"create role {role}")
    sql(f"create user {user} password 'Abcd1234'")
    try:
        sql(f"alter role {role} with rename to {renamed}")
        sql(f"grant role {renamed} to {user} with admin option")
        sql(f"revoke admin option for {renamed} from {user}")
        for restricted in ("", " restrict"):
            with pytest.raises(psycopg2.Error, match="cannot drop this role since it has been granted on a user"):
                sql(f"drop role {renamed}{restricted}")
        sql(f"drop role {renamed} force")
        with pytest.raises(psycopg2.Error, match="does not exist"):
            sql(f"drop role {renamed}")
        with pytest.raises(psycopg2.errors.SyntaxError):
            sql(f"drop role {renamed} at once")
    finally:
        sql(f"drop user {user}")


@source("ALTER ROLE")
@pytest.mark.parametrize("statement", [
    "alter role r with owner to someone", "grant assumerole on 'arn:aws:iam::000000000000:role/x' to someone for copy",
    "revoke assumerole on all from public for all", "grant create user to role r",
    "create table a (x varchar(10) collate case_insensitive)", "select collate('a', 'case_insensitive')",
    "create database d collate case_insensitive", "create database d isolation level serializable",
])  # fmt: skip
def test_what_is_not_emulated_is_refused_by_name(sql: Sql, statement: str) -> None:
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        sql(statement)


@source("CREATE TABLE")
def test_an_identity_begins_at_one(sql: Sql) -> None:
    sql("create table a (number int identity not null, x varchar(5) collate case_sensitive)")
    sql("insert into a (x) values ('a')")
    assert sql("select number from a") == [(1,)]
    with pytest.raises(psycopg2.errors.SyntaxError):
        sql("create table b (number int identity(1))")
    with pytest.raises(psycopg2.errors.SyntaxError):
        sql("create table b (number int generated by default as identity)")
    with pytest.raises(psycopg2.errors.SyntaxError):
        sql("create table b (x varchar(5) collate binary)")

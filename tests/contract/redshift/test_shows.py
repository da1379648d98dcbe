"""The SHOW commands. Source: Database Developer Guide, the page of each."""

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

DATABASE = "dev"
Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented


@pytest.fixture
def described(psycopg: Callable[[], Any]) -> Callable[..., tuple[list[str], list[tuple[Any, ...]]]]:
    """Runs a statement: the names of its columns, and its rows."""
    cursor = psycopg().cursor()

    def run(statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        cursor.execute(statement)
        return [column.name for column in cursor.description], cursor.fetchall()

    return run


Described = Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]


@source("SHOW DATABASES")
def test_show_databases(described: Described) -> None:
    names, rows = described("show databases like 'de_' limit 5")
    assert names[:4] == ["database_name", "database_owner", "database_type", "database_acl"]
    assert [row[0] for row in rows] == ["dev"]
    assert described("show databases like 'de'")[1] == []


@source("SHOW SCHEMAS")
def test_show_schemas(described: Described, schema: str) -> None:
    names, rows = described(f"show schemas from database dev like '{schema}'")
    assert names == ["database_name", "schema_name", "schema_owner", "schema_type", "schema_acl", "source_database",
                     "schema_option"]  # fmt: skip
    assert [(row[0], row[1], row[3]) for row in rows] == [("dev", schema, "local")]
    every = [row[1] for row in described("show schemas from database dev")[1]]
    assert {"public", "pg_catalog", "information_schema"} <= set(every)
    assert not any("redshift_" in name for name in every)
    assert described("show schemas from database elsewhere")[1] == []


@source("SHOW TABLES")
def test_show_tables(sql: Sql, described: Described, schema: str) -> None:
    sql("create table kept (a int) diststyle even; create table spread (a int distkey); create table plain (a int)")
    sql("create view seen as select a from kept")
    sql(f"create view late as select a from {schema}.kept with no schema binding")
    sql("comment on table kept is 'what is kept'")
    names, rows = described(f"show tables from schema dev.{schema}")
    assert names == ["database_name", "schema_name", "table_name", "table_type", "table_acl", "remarks", "owner",
                     "last_altered_time", "last_modified_time", "dist_style", "table_subtype"]  # fmt: skip
    assert [(*row[2:4], row[5], row[6], *row[9:]) for row in rows] == [
        ("kept", "TABLE", "what is kept", "awsuser", "EVEN", "REGULAR TABLE"),
        ("late", "VIEW", None, "awsuser", None, "LATE BINDING VIEW"),
        ("plain", "TABLE", None, "awsuser", "AUTO (ALL)", "REGULAR TABLE"),
        ("seen", "VIEW", None, "awsuser", None, "REGULAR VIEW"),
        ("spread", "TABLE", None, "awsuser", "KEY(a)", "REGULAR TABLE"),
    ]
    assert [row[2] for row in described(f"show tables from schema {schema} like '%e%' limit 2")[1]] == ["kept", "late"]


@source("SHOW COLUMNS")
def test_show_columns(sql: Sql, described: Described, schema: str) -> None:
    sql("create table t (id bigint not null distkey, name varchar(9) default 'x' encode zstd, price numeric(8, 2), "
        "s super) sortkey (name, id)")  # fmt: skip
    names, rows = described(f"show columns from table dev.{schema}.t")
    assert names == ["database_name", "schema_name", "table_name", "column_name", "ordinal_position", "column_default",
                     "is_nullable", "data_type", "character_maximum_length", "numeric_precision", "numeric_scale",
                     "remarks", "sort_key_type", "sort_key", "dist_key", "encoding", "collation"]  # fmt: skip
    assert [(row[3], row[4], row[6], row[7], row[8], row[10], *row[12:16]) for row in rows] == [
        ("id", 1, "NO", "bigint", None, 0, "COMPOUND", 2, 1, "none"),
        ("name", 2, "YES", "character varying", 9, None, "COMPOUND", 1, None, "zstd"),
        ("price", 3, "YES", "numeric", None, 2, None, None, None, "az64"),
        ("s", 4, "YES", "super", None, None, None, None, None, "zstd"),
    ]
    assert [row[3] for row in described(f"show columns from table {schema}.t like 'n%'")[1]] == ["name"]


@source("SHOW CONSTRAINTS")
def test_show_constraints(sql: Sql, described: Described, schema: str) -> None:
    sql("create table parent (i int, j int, primary key (i, j)); create table other (i int unique)")
    sql(
        "create table child (k int primary key, a int, b int references other (i), "
        "foreign key (a, b) references parent)"
    )
    names, rows = described(f"show constraints primary keys from table dev.{schema}.parent")
    assert names == ["database_name", "schema_name", "table_name", "pk_name", "column_name", "key_seq"]
    assert rows == [("dev", schema, "parent", "parent_pkey", "i", 1), ("dev", schema, "parent", "parent_pkey", "j", 2)]
    names, rows = described(f"show constraints foreign keys from table {schema}.child")
    assert names == ["pk_database_name", "pk_schema_name", "pk_table_name", "pk_column_name", "fk_database_name",
                     "fk_schema_name", "fk_table_name", "fk_column_name", "key_seq", "fk_name", "pk_name",
                     "update_rule", "delete_rule", "deferrability"]  # fmt: skip
    assert [(row[2], row[3], *row[6:]) for row in rows] == [
        ("other", "i", "child", "b", 1, "child_b_fkey", "other_i_key", None, None, None),
        ("parent", "i", "child", "a", 1, "child_a_fkey", "parent_pkey", None, None, None),
        ("parent", "j", "child", "b", 2, "child_a_fkey", "parent_pkey", None, None, None),
    ]
    exported = described(f"show constraints foreign keys exported from table {schema}.parent limit 1")[1]
    assert exported == [rows[1]]
    assert described(f"show constraints foreign keys exported from table {schema}.child")[1] == []


ROUTINES = """
    create procedure f1 (operation in varchar(10), value1 numeric(10, 5), result inout numeric,
                         span interval year to month, note out varchar(50), done out boolean)
        as $$ begin done := true; end; $$ language plpgsql;
    create procedure f1 () as $$ begin null; end; $$ language plpgsql;
    create function f2 (int, varchar(20), numeric(9, 2), date, interval day to second) returns varchar stable
        as $$ select $2 $$ language sql
"""


@source("SHOW PROCEDURES")
def test_show_procedures_and_functions(sql: Sql, described: Described, schema: str) -> None:
    sql(ROUTINES)
    names, rows = described(f"show procedures from schema dev.{schema}")
    assert names == ["database_name", "schema_name", "procedure_name", "number_of_arguments", "argument_list",
                     "return_type", "remarks"]  # fmt: skip
    assert [row[2:6] for row in rows] == [
        ("f1", 0, "", ""),
        ("f1", 4, "character varying, numeric, numeric, intervaly2m", "numeric, character varying, boolean"),
    ]
    names, rows = described(f"show functions from schema {schema} like 'f%' limit 5")
    assert names[2] == "function_name"
    assert [row[2:6] for row in rows] == [
        ("f2", 5, "integer, character varying, numeric, date, intervald2s", "character varying")
    ]
    assert described(f"show functions from schema {schema} like 'F%'")[1] == []


@source("SHOW PARAMETERS")
def test_show_parameters(sql: Sql, described: Described, connect: Connect, schema: str) -> None:
    sql(ROUTINES)
    arguments = "VARCHAR, DECIMAL, numeric(3, 1), interval year to month"
    names, rows = described(f"show parameters of procedure dev.{schema}.f1({arguments})")
    assert names == ["database_name", "schema_name", "procedure_name", "parameter_name", "ordinal_position",
                     "parameter_type", "data_type", "character_maximum_length", "numeric_precision", "numeric_scale",
                     "remarks"]  # fmt: skip
    assert [row[3:10] for row in rows] == [
        ("operation", 1, "IN", "character varying", 10, None, None),
        ("value1", 2, "IN", "numeric", None, 10, 5),
        ("result", 3, "INOUT", "numeric", None, 18, 0),
        ("span", 4, "IN", "intervaly2m", None, None, None),
        ("note", 5, "OUT", "character varying", 50, None, None),
        ("done", 6, "OUT", "boolean", None, None, None),
    ]
    assert described(f"show parameters of procedure {schema}.f1()")[1] == []
    assert [row[3] for row in described(f"show parameters of procedure {schema}.f1({arguments}) like 'val%'")[1]] == [
        "value1"
    ]
    cursor = connect().cursor()
    names_and_types = (DATABASE, schema, "f2", "integer", "character varying", "numeric", "date", "intervald2s")
    cursor.execute("show parameters of function %s.%s.%s(%s, %s, %s, %s, %s)", names_and_types)
    assert [row[3:10] for row in cursor.fetchall()] == [
        ["", 0, "RETURN", "character varying", -1, None, None],
        ["", 1, "IN", "integer", None, 32, 0],
        ["", 2, "IN", "character varying", -1, None, None],
        ["", 3, "IN", "numeric", None, None, None],
        ["", 4, "IN", "date", None, None, None],
        ["", 5, "IN", "intervald2s", None, None, None],
    ]


@source("SHOW PARAMETERS")
def test_what_a_routine_declares_goes_and_changes_with_it(sql: Sql, described: Described, schema: str) -> None:
    made = "create or replace procedure p (a varchar({})) as $$ begin null; end; $$ language plpgsql"
    shown = f"show parameters of procedure {schema}.p(varchar)"
    for length in (5, 7):
        sql(made.format(length))
        assert described(shown)[1][0][7] == length
    sql("drop procedure p(varchar)")
    assert described(shown)[1] == []
    assert sql(
        "select count(*) from redshift_internal.routine r left join pg_proc p using (oid) where p.oid is null"
    ) == [(0,)]


@source("SHOW COLUMN GRANTS")
def test_show_column_grants(sql: Sql, described: Described, schema: str) -> None:
    sql("create table t (a int, b int); create user alice password 'Secret-Passw0rd1'; create role readers")
    sql("create group editors")
    try:
        sql("grant select (a), update (b) on t to alice; grant select (b) on t to public")
        sql("grant select (a) on t to role readers; grant update (a) on t to group editors")
        names, rows = described(f"show column grants on table dev.{schema}.t")
        assert names == ["database_name", "schema_name", "table_name", "column_name", "object_type", "privilege_type",
                         "identity_id", "identity_name", "identity_type", "admin_option", "privilege_scope",
                         "grantor_name"]  # fmt: skip
        assert [(row[3], row[5], row[7], row[8]) for row in rows] == [
            ("a", "SELECT", "alice", "user"), ("a", "SELECT", "readers", "role"), ("a", "UPDATE", "/editors", "role"),
            ("b", "SELECT", "public", "public"), ("b", "UPDATE", "alice", "user"),
        ]  # fmt: skip
        assert [row[3] for row in described(f"show column grants on table {schema}.t for alice limit 1")[1]] == ["a"]
    finally:
        sql("drop table t; drop user alice; drop role readers; drop group editors")


@pytest.mark.parametrize("version", [0, 2])
def test_the_driver_discovers_with_show(sql: Sql, connect: Connect, schema: str, version: int) -> None:
    """The gateway reports `show_discovery`, so redshift_connector's metadata calls ask SHOW commands."""
    sql("create table parent (i int primary key); create table child (a numeric(9, 2), b int references parent)")
    sql(ROUTINES)
    cursor = connect(client_protocol_version=version).cursor()
    assert cursor.get_show_discovery_version() == 4
    assert [row[3] for row in cursor.get_primary_keys(None, schema, "parent")] == ["i"]
    assert [row[2:8] for row in cursor.get_imported_keys(None, schema, "child")] == [
        ["parent", "i", DATABASE, schema, "child", "b"]
    ]
    assert {row[2] for row in cursor.get_procedures(None, schema, None)} == {"f1"}
    assert [row[6] for row in cursor.get_function_columns(None, schema, "f2", None)][:2] == ["varchar", "int4"]
    assert [(row[3], row[6]) for row in cursor.get_columns(None, schema, "child", None)] == [("a", 9), ("b", 10)]


@source("SHOW TABLES")
def test_show_of_a_prepared_statement(connect: Connect, schema: str) -> None:
    cursor = connect().cursor()
    cursor.execute("create table t (a int)")
    cursor.execute("show tables from schema %s.%s like %s", ("dev", schema, "t%"))
    assert [row[2] for row in cursor.fetchall()] == ["t"]


@source("SHOW TABLES")
@pytest.mark.parametrize(("statement", "code"), [
    ("show tables", "42601"), ("show tables from schema a.b.c", "42601"), ("show columns from table t", "42601"),
    ("show tables from schema public like pattern", "42601"), ("show tables from schema public limit 10001", "22023"),
    ("show schemas from database dev order by 1", "42601"), ("show grants on template s", "0A000"),
    ("show grants on schema a.b.c", "42601"), ("show grants for", "42601"),
    ("show databases from data catalog", "0A000"),
])  # fmt: skip
def test_a_show_that_cannot_be(sql: Sql, statement: str, code: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        sql(statement)
    assert caught.value.pgcode == code

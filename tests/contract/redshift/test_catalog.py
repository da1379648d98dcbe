"""The catalog: keys, storage, types, identity columns, views, aliases. Source: Database Developer Guide."""

import os
import subprocess
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from harness.redshift import Listening

DATABASE = "dev"
Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented


@source("Defining table constraints")
def test_keys_are_shown(sql: Sql) -> None:
    sql("create table parent (id int, a int, primary key (id), constraint own unique (a, id))")
    sql(
        "create table child (id int not null unique, parent int references parent (id), "
        "foreign key (id) references parent)"
    )
    shown = sql(
        "select conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid, true) from pg_constraint "
        "where conrelid in ('parent'::regclass, 'child'::regclass) order by 1, 2"
    )
    assert shown == [
        ("child", "child_id_fkey", "f", "FOREIGN KEY (id) REFERENCES parent(id)"),
        ("child", "child_id_key", "u", "UNIQUE (id)"),
        ("child", "child_parent_fkey", "f", "FOREIGN KEY (parent) REFERENCES parent(id)"),
        ("parent", "own", "u", "UNIQUE (a, id)"),
        ("parent", "parent_pkey", "p", "PRIMARY KEY (id)"),
    ]
    kinds = (
        "select constraint_type, column_name from information_schema.table_constraints join "
        "information_schema.key_column_usage using (constraint_name, table_schema) "
        "where table_schema = current_schema() and constraint_name like 'parent%%'"
    )
    assert sql(kinds) == [("PRIMARY KEY", "id")]
    sql("alter table parent drop constraint own; alter table child add constraint named primary key (parent)")
    named = "select conname from pg_constraint where conrelid = '{}'::regclass and contype in ('p', 'u') order by 1"
    assert sql(named.format("child")) == [("child_id_key",), ("named",)]
    assert sql(named.format("parent")) == [("parent_pkey",)]
    sql("drop table child; create table child (id int)")
    assert sql(named.format("child")) == []


@source("CREATE TABLE")
@pytest.mark.parametrize(("statement", "code"), [
    ("create table t (a int, primary key (nothing))", "42703"),
    ("create table t (a int) distkey (nothing)", "42703"),
    ("create table t (a int) sortkey (nothing)", "42703"),
    ("create table t (a int primary key, b int, primary key (b))", "42P16"),
    ("create table t (a int encode snappy)", "42601"),
    ("create table t (a int references nowhere (id))", "42P01"),
    ("create table t (a int) diststyle some", "42601"),
])  # fmt: skip
def test_a_declaration_that_cannot_be(sql: Sql, statement: str, code: str) -> None:
    with pytest.raises(psycopg2.Error) as raised:
        sql(statement)
    assert raised.value.pgcode == code


STORAGE = (
    'select diststyle, sortkey1, sortkey_num from svv_table_info where "schema" = current_schema() and "table" = \'{}\''
)
COLUMNS = "select \"column\", trim(encoding), distkey, sortkey from pg_table_def where tablename = '{}'"


@source("PG_TABLE_DEF")
def test_storage_is_shown(sql: Sql) -> None:
    sql("create table t (a int encode zstd, b varchar(9), c boolean) distkey (b) compound sortkey (c, a)")
    rows = [("a", "zstd", False, 2), ("b", "lzo", True, 0), ("c", "none", False, 1)]
    assert sql(COLUMNS.format("t")) == rows
    assert sql(STORAGE.format("t")) == [("KEY(b)", "c", 2)]
    sql("create table same (like t)")
    assert sql(COLUMNS.format("same")) == rows
    sql("create table if not exists t (a int) diststyle all")
    assert sql(STORAGE.format("t")) == [("KEY(b)", "c", 2)]
    sql("create table query diststyle even sortkey (n) as select 1 as n")
    assert sql(STORAGE.format("query")) == [("EVEN", "n", 1)]
    sql("create table plain (a int)")
    assert sql(STORAGE.format("plain")) == [("AUTO(ALL)", "AUTO(SORTKEY)", 0)]


@source("ALTER TABLE")
def test_storage_is_altered(sql: Sql) -> None:
    sql("create table t (a int, b int) diststyle even interleaved sortkey (a, b)")
    assert sql(STORAGE.format("t")) == [("EVEN", "INTERLEAVED", 2)]
    sql("alter table t alter diststyle key distkey b")
    sql("alter table t alter sortkey (b)")
    sql("alter table t alter column a encode mostly16")
    assert sql(STORAGE.format("t")) == [("KEY(b)", "b", 1)]
    assert sql(COLUMNS.format("t")) == [("a", "mostly16", False, 0), ("b", "none", True, 1)]
    sql("alter table t alter sortkey none")
    sql("alter table t alter diststyle all")
    assert sql(STORAGE.format("t")) == [("ALL", None, 0)]


@source("CREATE TABLE")
def test_identity_columns_are_shown(sql: Sql) -> None:
    sql("create table t (id int identity(5, 2), a int default 7)")
    shown = (
        "select adsrc, attnotnull from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum "
        "where adrelid = 't'::regclass order by adnum"
    )
    ((identity, not_null), (default, _)) = sql(shown)
    assert identity.endswith(", 0, '5,2'::text)")
    assert not not_null
    assert default == "7"
    defaults = "select column_default from svv_columns where table_schema = current_schema() order by ordinal_position"
    assert sql(defaults) == [(identity,), ("7",)]
    sql("insert into t (a) values (1), (2)")
    assert sql("select id from t order by 1") == [(5,), (7,)]


@source("CREATE TABLE")
def test_an_identity_column_may_be_null_unless_it_says_otherwise(sql: Sql, schema: str) -> None:
    sql("create table t (a int identity(1, 1), b int not null)")
    sql("create table u (a int identity(1, 1) not null, b int)")
    sql("create table v (a int identity(1, 1), b int, primary key (a))")
    shown = "select table_name, column_name, is_nullable from {} where {} = %s order by table_name, ordinal_position"
    expected = [
        ("t", "a", "YES"),
        ("t", "b", "NO"),
        ("u", "a", "NO"),
        ("u", "b", "YES"),
        ("v", "a", "NO"),
        ("v", "b", "YES"),
    ]
    for view, column in (("svv_columns", "table_schema"), ("information_schema.columns", "table_schema"),
                         ("svv_redshift_columns", "schema_name")):  # fmt: skip
        assert sql(shown.format(view, column), schema) == expected


@source("SVV_REDSHIFT_COLUMNS")
def test_types_have_their_names(sql: Sql) -> None:
    sql("create table t (s super, v varbyte(9), n numeric(9, 2)) distkey (n)")
    names = "select data_type from {} where table_name = 't' and {} = current_schema() order by ordinal_position"
    types = [("super",), ("binary varying",), ("numeric",)]
    for view, schema in (("svv_columns", "table_schema"), ("svv_redshift_columns", "schema_name")):
        assert sql(names.format(view, schema)) == types
    assert sql("select column_name from svv_redshift_columns where distkey and schema_name = current_schema()") == [
        ("n",)
    ]


@source("CREATE DATABASE")
def test_a_database_of_its_own(sql: Sql, gateway: Listening) -> None:
    sql("create database other_one")
    where = {"host": gateway.host, "port": gateway.port, "user": "awsuser", "password": "Secret-Passw0rd"}
    try:
        connection = psycopg2.connect(**where, dbname="other_one", sslmode="disable")
        cursor = connection.cursor()
        cursor.execute("create table t (a varchar(3)) diststyle all")
        cursor.execute("select diststyle from svv_table_info")
        assert cursor.fetchall() == [("ALL",)]
        with pytest.raises(psycopg2.errors.StringDataRightTruncation):
            cursor.execute("insert into t values ('éé')")
        connection.close()
    finally:
        sql("drop database other_one")
    with pytest.raises(psycopg2.OperationalError, match='database "other_one" does not exist'):
        psycopg2.connect(**where, dbname="other_one", sslmode="disable")


@source("CREATE VIEW")
def test_a_late_binding_view_comes_before_its_table(sql: Sql, schema: str) -> None:
    sql(f"create view v as select * from {schema}.t with no schema binding")
    with pytest.raises(psycopg2.errors.UndefinedTable, match=rf'relation "{schema}.t" does not exist'):
        sql("select * from v")
    for columns, row in (("a int", (1,)), ("b varchar(3), a int", ("x", 2))):
        sql(f"create table t ({columns})")
        sql("insert into t values %s", row)
        assert sql("select * from v") == [row]
        sql("drop table t")
        with pytest.raises(psycopg2.errors.UndefinedTable):
            sql("select * from v")


@source("CREATE VIEW")
def test_a_late_binding_view_follows_the_name(sql: Sql, schema: str) -> None:
    sql("create table t (a int); insert into t values (1)")
    sql("create table fresh (a int, b int); insert into fresh values (2, 3)")
    sql(f"create view v as select * from {schema}.t with no schema binding")
    sql(f"create view w as select a + 1 as n from {schema}.v with no schema binding")
    sql("alter table t rename to old; alter table fresh rename to t; drop table old")
    assert sql("select * from v") == [(2, 3)]
    assert sql("select n from w") == [(3,)]
    sql("alter table t drop column b")
    assert sql("select * from v") == [(2,)]
    sql("begin; drop table t; rollback")
    assert sql("select * from v") == [(2,)]
    columns = "cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int)"
    shown = sql(
        f"select view_name, col_name, col_type from pg_get_late_binding_view_cols() {columns} "
        f"where view_schema = '{schema}'"
    )
    assert shown == [("v", "a", "integer"), ("w", "n", "integer")]
    ((text,),) = sql(f"select definition from pg_views where schemaname = '{schema}' and viewname = 'w'")
    assert text.endswith("with no schema binding")


@source("CREATE VIEW")
def test_a_late_binding_view_names_schemas(sql: Sql, schema: str) -> None:
    with pytest.raises(psycopg2.Error, match="All the relation names inside should be qualified"):
        sql(f"create view v as select * from {schema}.t join u on t.a = u.a with no schema binding")
    sql("create view v as with c as (select 1 as a) select c.a from c with no schema binding")
    assert sql("select * from v") == [(1,)]
    sql("create or replace view v as select 2 as b with no schema binding")
    assert sql("select * from v") == [(2,)]
    with pytest.raises(psycopg2.errors.DuplicateTable):
        sql("create view v as select 2 as b with no schema binding")


@source("SELECT list")
def test_lateral_column_aliases(sql: Sql) -> None:
    sql("create table t (a int, b int); insert into t values (1, 10), (2, 20)")
    assert sql("select a + 1 as x, x * 2 as y, y + x from t where x > 2") == [(3, 6, 9)]
    assert sql("select a + 1 as b, b * 2 from t order by 1") == [(2, 20), (3, 40)]  # the column goes first
    assert sql("select sum(a) as n, n * 2 from t") == [(3, 6)]
    assert sql("create table u as select a as k, k + 1 as l from t; select sum(l) from u") == [(5,)]
    sql("insert into u select a + 5 as f, f + 5 as g from t")
    assert sql("select max(l) from u") == [(12,)]
    with pytest.raises(psycopg2.errors.UndefinedColumn, match='"nothing"'):
        sql("select a + 1 as x, nothing from t where x > 0")


@source("SELECT list")
def test_lateral_column_aliases_of_a_prepared_statement(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()
    for number in (3, 4):
        cursor.execute("select 1 as x, x + 1 as y, y + 1 where x < %s", (number,))
        assert cursor.fetchone() == [1, 2, 3]
    with pytest.raises(Exception, match="nothing"):
        cursor.execute("select nothing as x, x + 1")
    connection.rollback()
    cursor.execute("select 1")
    assert cursor.fetchone() == [1]


@source("CREATE SCHEMA")
def test_a_schema_is_named_with_its_database(sql: Sql, connect: Connect, schema: str) -> None:
    sql(f'create schema if not exists "dev"."{schema}_a"')
    sql(f"create table {schema}_a.t (a int)")
    sql(f"alter schema dev.{schema}_a rename to {schema}_b")
    cursor = connect().cursor()
    cursor.execute(f"drop schema if exists dev.{schema}_b cascade")
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="cross-database"):
        sql(f"create schema elsewhere.{schema}_a")
    sql(f"create schema {schema}_c authorization awsuser; drop schema {schema}_c")


@source("ALTER TABLE")
def test_a_table_may_have_the_name_that_another_had(sql: Sql, schema: str) -> None:
    """What dbt does on every run: make a table beside, rename the old one, then the new one."""
    for number in (1, 2, 3):
        sql("create table made (id int not null, primary key (id))")
        sql(f"insert into made values ({number})")
        sql(f"drop table if exists {schema}.kept_before")
        if number > 1:
            sql(f"alter table {schema}.kept rename to kept_before")
        sql("alter table made rename to kept")
    assert sql("select a.id, b.id from kept a, kept_before b") == [(3, 2)]
    found = sql(
        f"select relname from pg_class where relkind = 'i' and relnamespace = '{schema}'::regnamespace order by 1"
    )
    assert found == [("kept_before_pkey",), ("kept_pkey",)]


@source("CREATE MATERIALIZED VIEW")
def test_a_materialized_view_with_its_clauses(sql: Sql) -> None:
    sql("create table t (a int); insert into t values (1)")
    sql("create materialized view m backup no diststyle key distkey (a) sortkey (a) auto refresh yes as "
        "(select a, nvl(null, 2) as b from t)")  # fmt: skip
    sql("insert into t values (2)")
    assert sql("select a, b from m") == [(1, 2)]
    sql("refresh materialized view m")
    assert sql("select a from m order by 1") == [(1,), (2,)]
    sql("create materialized view plain as select a from t; drop materialized view plain")
    with pytest.raises(psycopg2.errors.SyntaxError, match="sometimes"):
        sql("create materialized view n sometimes as select a from t")


@source("SVV_RELATION_PRIVILEGES")
def test_privileges_are_shown(sql: Sql, schema: str) -> None:
    sql("create table t (a int)")
    sql(f"create group {schema}_g; create user {schema}_u password 'Abcdef123'")
    sql(f"grant select on t to group {schema}_g; grant insert on t to {schema}_u with grant option")
    found = sql("select identity_name, identity_type, privilege_type, admin_option from svv_relation_privileges "
                f"where namespace_name = '{schema}' and relation_name = 't' "
                "and not (identity_type = 'user' and identity_name = current_user) order by 1")  # fmt: skip
    sql(f"drop table t; drop user {schema}_u; drop group {schema}_g")
    assert found == [(f"{schema}_g", "group", "SELECT", False), (f"{schema}_u", "user", "INSERT", True)]


@source("GRANT")
def test_all_privileges_are_those_that_redshift_has(sql: Sql, schema: str) -> None:
    sql(f"create table t (a int); create group {schema}_g; create group {schema}_h")
    sql(f"grant all on t to group {schema}_g; grant select, truncate, references on t to group {schema}_h")
    shown = (
        "select privilege_type from svv_relation_privileges where relation_name = 't' and identity_name = %s order by 1"
    )
    found = [[privilege for (privilege,) in sql(shown, f"{schema}_{name}")] for name in "gh"]
    sql(f"drop table t; drop group {schema}_g; drop group {schema}_h")
    assert found == [
        ["ALTER", "DELETE", "DROP", "INSERT", "REFERENCES", "RULE", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"],
        ["REFERENCES", "SELECT", "TRUNCATE"],
    ]


@source("Connect by using the psql tool")
def test_psql_describes(sql: Sql, postgres: Any, gateway: Listening, schema: str) -> None:
    sql("create table t (id int identity(1, 1), name varchar(9), s super, primary key (id)) distkey (id)")
    sql(f"create view late as select * from {schema}.t with no schema binding")
    environment = os.environ | {"PGPASSWORD": "Secret-Passw0rd", "PGSSLMODE": "disable", "LANG": "C"}
    where = ["-h", gateway.host, "-p", str(gateway.port), "-U", "awsuser", "dev"]
    command = [postgres.binaries / "psql", "-X", "-A", *where]
    script = rf"""
        set search_path to {schema};
        \dt
        \d t
        \dv
        \dn
        \df getdate
    """
    done = subprocess.run(
        command, input=script, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    print(done)
    assert f"{schema}|t|table|awsuser" in done.stdout
    assert "name|character varying(9)||" in done.stdout
    assert "s|super||" in done.stdout
    assert f"{schema}|late|view|awsuser" in done.stdout
    assert "redshift_internal" not in done.stdout
    assert "getdate" in done.stdout
    assert done.stderr.count("ERROR") == 0, done.stderr


@source("SYS_QUERY_DETAIL")
def test_what_put_rows_into_a_table_is_in_the_detail_of_queries(sql: Sql, schema: str) -> None:
    """dbt's source freshness asks it when a table last changed."""
    sql("create table filled (a int)")
    sql(f"insert into {schema}.filled values (1)")
    sql(f"/* a comment */ update dev.{schema}.filled set a = 2")
    sql(f"delete from {schema}.filled where a = 3")
    with pytest.raises(psycopg2.Error):
        sql(f"insert into {schema}.filled values ('x')")
    for _ in range(2):  # the second one is another table
        sql(f"drop table if exists made; create table {schema}.made as select a from filled")
    sql(f"create table {schema}.empty (like filled)")
    steps = (
        "select c.relname, count(*), max(d.start_time) <= max(d.end_time) from pg_class c join pg_namespace n "
        "on n.oid = c.relnamespace join sys_query_detail d on d.table_id = c.oid "
        "where d.step_name = 'insert' and n.nspname = %s group by 1 order by 1"
    )
    assert sql(steps, schema) == [("filled", 2, True), ("made", 1, True)]


@source("CURRENT_SETTING")
def test_redshifts_own_parameters_are_read_and_set_by_functions(sql: Sql) -> None:
    sql("set query_group to 'etl'")
    assert sql("select current_setting('query_group')") == [("etl",)]
    assert sql("select set_config('Query_Group', 'other', false), current_setting('search_path') is not null") == [
        ("other", True)
    ]
    assert sql("show query_group") == [("other",)]
    sql("reset query_group")
    assert sql("select current_setting('query_group')") == [("default",)]

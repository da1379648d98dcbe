"""Names of 64 to 127 bytes. Source: Database Developer Guide."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from harness.redshift import Listening, Settings, running

Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented
ALIKE = "customer_lifetime_value_of_the_last_twelve_months_before_returns"  # 64 bytes, of which PostgreSQL keeps 63
FIRST, SECOND, LONGEST = ALIKE + "_1", ALIKE + "_2", ALIKE + "_" * 62 + "x"
MIXED = 'Wert der Bestellungen in den letzten zwölf Monaten, "Gesamt" – 好'
FOLDED = MIXED.lower()
assert len(LONGEST.encode()) == 127
assert 63 < len(MIXED.encode()) <= 127


@pytest.fixture
def long_schema(sql: Sql, schema: str) -> Iterator[str]:
    """A schema with a long name, which this session finds first."""
    name = f"{schema}_{ALIKE}"
    sql(f"create schema {name}")
    sql(f"set search_path to {name}, {schema}")
    yield name
    sql(f"drop schema {name} cascade")


def names_of(cursor: Any) -> list[str]:
    return [column[0].decode() if isinstance(column[0], bytes) else column[0] for column in cursor.description]


@source("Names and identifiers")
def test_two_tables_and_columns_that_begin_alike_are_two(sql: Sql) -> None:
    sql(f"create table {FIRST} ({FIRST} int, {SECOND} int); create table {SECOND} ({LONGEST} int)")
    sql(f'insert into "{FIRST.upper()}" ({SECOND}, {FIRST}) values (2, 1); insert into {SECOND} values (3)')
    assert sql(f"select {FIRST}, {SECOND} from {FIRST}") == [(1, 2)]
    assert sql(f"select a.{FIRST}, b.{LONGEST} from {FIRST} a join {SECOND} b on a.{SECOND} < b.{LONGEST}") == [(1, 3)]
    sql(f"update {FIRST} set {FIRST} = {FIRST} + 10; delete from {SECOND}")
    assert sql(f"select {FIRST} from {FIRST} where {SECOND} = 2") == [(11,)]
    with pytest.raises(psycopg2.errors.DuplicateTable, match=f'"{FIRST}" already exists'):
        sql(f"create table {FIRST} (a int)")


@source("Names and identifiers")
def test_a_name_in_quotes_with_all_kinds_of_characters(sql: Sql, psycopg: Connect) -> None:
    quoted = '"' + MIXED.replace('"', '""') + '"'
    sql(f"create table {quoted} ({quoted} int); insert into {quoted} values (7)")
    cursor = psycopg().cursor()
    cursor.execute(f"select * from {quoted}")
    assert (names_of(cursor), cursor.fetchall()) == ([FOLDED], [(7,)])
    sql("set enable_case_sensitive_identifier to on")
    with pytest.raises(psycopg2.errors.UndefinedTable) as raised:
        sql(f"select * from {quoted}")
    assert f'relation "{MIXED}" does not exist' in str(raised.value)


@source("CREATE TABLE")
def test_a_name_of_over_127_bytes_is_cut_with_a_notice(psycopg: Connect, schema: str) -> None:
    connection = psycopg()
    cursor = connection.cursor()
    cursor.execute(f"create table {LONGEST}yz (a int)")
    assert connection.notices == [f'NOTICE:  identifier "{LONGEST}yz" will be truncated to "{LONGEST}"\n']
    cursor.execute("select tablename from pg_tables where schemaname = %s", (schema,))
    assert cursor.fetchall() == [(LONGEST,)]
    cursor.execute(f"select 1 as {LONGEST}z")
    assert names_of(cursor) == [LONGEST]
    assert len(connection.notices) == 2


@source("Names and identifiers")
@pytest.mark.parametrize(("query", "names"), [
    ("select * from {0}", [FIRST, SECOND]),
    ("select * from (select {0} as {1} from {0}) q", [SECOND]),
    ("select 1 as " + LONGEST, [LONGEST]),
    ("select {0}, {0} + 1 as a, a + 1 as {2} from {0}", [FIRST, "a", LONGEST]),
    ("select 1 as {0}, {0} + 1 as {1}", [FIRST, SECOND]),
    ("with {0} as (select 1 as {1}) select * from {0}", [SECOND]),
    ("select sum({0}) as {1} from {0} group by {0} having sum({0}) > 0", [SECOND]),
])  # fmt: skip
def test_columns_of_a_result_have_their_whole_names(
    connect: Connect, psycopg: Connect, query: str, names: list[str]
) -> None:
    for connection in (psycopg(), connect()):
        cursor = connection.cursor()
        cursor.execute(f"create table if not exists {FIRST} ({FIRST} int, {SECOND} int)")
        cursor.execute(query.format(FIRST, SECOND, LONGEST))
        assert names_of(cursor) == names
        connection.commit()


@source("Names and identifiers")
def test_a_gateway_that_starts_later_knows_the_names(postgres: Any, sql: Sql, schema: str, tmp_path: Path) -> None:
    sql(f"create table {FIRST} ({SECOND} int)")
    settings = Settings(postgres=postgres.dsn, user="awsuser", password="other", tls_dir=tmp_path)
    with running(settings) as later:
        connection = psycopg2.connect(host=later.host, port=later.port, user="awsuser", password="other", dbname="dev")
        cursor = connection.cursor()
        cursor.execute(f"select * from {schema}.{FIRST}")
        assert names_of(cursor) == [SECOND]
        with pytest.raises(psycopg2.errors.UndefinedTable, match=f"{schema}.{LONGEST}"):
            cursor.execute(f"select * from {schema}.{LONGEST}")
        connection.close()


@source("System tables and views reference")
@pytest.mark.parametrize(("page", "expression", "query"), [
    ("SVV_TABLES", "svv_tables", "select table_name from svv_tables where table_schema = %s and table_name = '{0}'"),
    ("SVV_COLUMNS", "svv_columns",
     "select column_name from svv_columns where table_schema = %s and column_name = '{0}'"),
    ("SVV_REDSHIFT_COLUMNS", "svv_redshift_columns",
     "select column_name from svv_redshift_columns where schema_name = %s and table_name = '{0}'"),
    ("SVV_ALL_COLUMNS", "svv_all_columns",
     "select column_name from svv_all_columns where schema_name = %s and table_name like '%%returns\\_1'"),
    ("SVV_REDSHIFT_TABLES", "svv_redshift_tables", "select table_name from svv_redshift_tables where schema_name = %s"),
    ("SVV_ALL_TABLES", "svv_all_tables", "select table_name from svv_all_tables where schema_name = %s"),
    ("SVV_TABLE_INFO", "svv_table_info",
     "select \"table\" from svv_table_info where schema = %s and sortkey1 = '{0}'"),
    ("PG_TABLE_DEF", "pg_table_def", "select tablename from pg_table_def where schemaname = %s and \"column\" = '{0}'"),
    ("Querying the catalog tables", "pg_class, pg_namespace and pg_attribute",
     "select relname from pg_class c join pg_namespace n on n.oid = relnamespace "
     "join pg_attribute a on attrelid = c.oid where nspname = %s and attname = relname"),
    ("Querying the catalog tables", "pg_tables", "select tablename from pg_tables where schemaname = %s"),
    ("Querying the catalog tables", "information_schema.columns",
     "select table_name from information_schema.columns where table_schema = %s and column_name = '{0}'"),
    ("Querying the catalog tables", "information_schema.tables",
     "select upper(table_name) from information_schema.tables where table_schema = %s"),
    ("Querying the catalog tables", "information_schema.key_column_usage",
     "select column_name from information_schema.key_column_usage where table_schema = %s"),
])  # fmt: skip
def test_catalogs_show_and_compare_the_whole_name(
    sql: Sql, long_schema: str, page: str, expression: str, query: str
) -> None:
    sql(f"create table {FIRST} ({FIRST} int primary key sortkey)")
    assert [name.lower() for (name,) in sql(query.format(FIRST), long_schema)] == [FIRST], (page, expression)
    assert sql(query.format(SECOND), long_schema + "x") == []


@source("SVV_ALL_SCHEMAS")
def test_schemas_have_their_whole_names(sql: Sql, long_schema: str) -> None:
    assert sql("select current_schema()") == [(long_schema,)]
    assert sql("select current_schemas(false)")[0][0][0] == long_schema
    for query in ("svv_all_schemas where schema_name", "svv_redshift_schemas where schema_name",
                  "pg_namespace where nspname", "information_schema.schemata where schema_name"):  # fmt: skip
        assert sql(f"select count(*) from {query} = %s", long_schema) == [(1,)]
        assert sql(f"select count(*) from {query} like %s", long_schema[:63]) == [(0,)]


@source("SHOW TABLES")
def test_show_commands_take_and_show_the_whole_name(sql: Sql, long_schema: str) -> None:
    sql(f"create table {FIRST} ({FIRST} int, {SECOND} int, primary key ({FIRST}))")
    sql(f"create table {SECOND} ({LONGEST} int references {FIRST}, constraint {LONGEST} unique ({LONGEST}))")
    assert sql(f"show schemas from database dev like '{long_schema}'")[0][1] == long_schema
    assert [row[1:3] for row in sql(f"show tables from schema dev.{long_schema}")] == [
        (long_schema, FIRST), (long_schema, SECOND),
    ]  # fmt: skip
    assert [row[2:4] for row in sql(f"show tables from schema {long_schema} like '{SECOND}'")] == [(SECOND, "TABLE")]
    assert [row[2:4] for row in sql(f'show columns from table dev."{long_schema}".{FIRST}')] == [
        (FIRST, FIRST), (FIRST, SECOND),
    ]  # fmt: skip
    assert sql(f"show constraints primary keys from table {long_schema}.{FIRST}") == [
        ("dev", long_schema, FIRST, f"{FIRST}_pkey", FIRST, 1)
    ]
    ((_, pk_schema, pk_table, pk_column, _, fk_schema, fk_table, fk_column, _, fk_name, pk_name, *_),) = sql(
        f"show constraints foreign keys from table {long_schema}.{SECOND}"
    )
    assert (pk_schema, pk_table, pk_column, pk_name) == (long_schema, FIRST, FIRST, f"{FIRST}_pkey")
    assert (fk_schema, fk_table, fk_column) == (long_schema, SECOND, LONGEST)
    assert len(fk_name.encode()) == 127
    assert fk_name.startswith(ALIKE[:60])
    constraints = "information_schema.table_constraints"
    keys = f"select constraint_name from {constraints} where table_name = %s and constraint_type = %s"
    assert sql(keys, SECOND, "UNIQUE") == [(LONGEST,)]
    definitions = sql("select pg_get_constraintdef(oid) from pg_constraint where conname = %s", fk_name)
    assert definitions == [(f"FOREIGN KEY ({LONGEST}) REFERENCES {FIRST}({FIRST})",)]
    sql(f"alter table {SECOND} drop constraint {LONGEST}; alter table {SECOND} drop constraint {fk_name}")
    assert sql(keys, SECOND, "UNIQUE") == sql(keys, SECOND, "FOREIGN KEY") == []


@source("SHOW COLUMNS")
def test_the_whole_name_as_a_parameter_of_a_prepared_show(connect: Connect, sql: Sql, long_schema: str) -> None:
    sql(f"create table {FIRST} ({SECOND} int); create table {SECOND} ({FIRST} int)")
    cursor = connect().cursor()
    found = cursor.get_columns("dev", long_schema, FIRST, "%")
    assert [row[1:4] for row in found] == [[long_schema, FIRST, SECOND]]
    assert [row[2] for row in cursor.get_tables("dev", long_schema, "%", [])] == [FIRST, SECOND]


@source("SHOW TABLES")
def test_of_another_database(gateway: Listening, sql: Sql) -> None:
    sql("create database of_long_names")
    try:
        connection = psycopg2.connect(
            host=gateway.host, port=gateway.port, user="awsuser", password="Secret-Passw0rd", dbname="of_long_names"
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(f"create table {FIRST} ({SECOND} int)")
        connection.close()
        assert [row[2:4] for row in sql(f"show columns from table of_long_names.public.{FIRST}")] == [(FIRST, SECOND)]
    finally:
        sql("drop database of_long_names")


@source("CREATE DATABASE")
def test_a_database_with_a_long_name_is_refused(sql: Sql) -> None:
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="more than 63 bytes"):
        sql(f"create database {FIRST}")


@source("CREATE TABLE")
def test_a_transaction_that_rolls_back_leaves_nothing(psycopg: Connect, sql: Sql) -> None:
    name = f"{FIRST}_rolled_back"
    known = "select count(*) from redshift_internal.long_name where long = %s"
    connection = psycopg()
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute(f"create table {name} (a int)")
    cursor.execute("select relname from pg_class where relname = %s", (name,))
    assert cursor.fetchall() == [(name,)]
    connection.rollback()
    assert sql("select count(*) from pg_class where relname = %s", name) == sql(known, name) == [(0,)]
    sql(f"create table {name} (a int)")
    assert sql(known, name) == [(1,)]


@source("CREATE TABLE")
def test_two_transactions_that_make_the_same_name_do_not_wait(psycopg: Connect, sql: Sql) -> None:
    name = f"{FIRST}_by_two"
    first, second = psycopg(), psycopg()
    for connection in (first, second):
        connection.autocommit = False
        connection.cursor().execute("select 1")
    first.cursor().execute(f"create table one ({name} int)")
    cursor = second.cursor()
    cursor.execute("set statement_timeout to 5000")
    cursor.execute(f"create table two ({name} int)")
    first.commit()
    second.commit()
    assert sql("select table_name from svv_columns where column_name = %s order by 1", name) == [("one",), ("two",)]


@source("ALTER TABLE")
def test_alter_table(sql: Sql, schema: str) -> None:
    sql(f"create table t (a int primary key); alter table t rename to {FIRST}")
    sql(f"alter table {FIRST} rename column a to {SECOND}; alter table {FIRST} add column {LONGEST} varchar(3)")
    columns = (
        "select column_name from svv_columns where table_schema = %s and table_name = %s order by ordinal_position"
    )
    assert sql(columns, schema, FIRST) == [(SECOND,), (LONGEST,)]
    with pytest.raises(psycopg2.errors.StringDataRightTruncation):
        sql(f"insert into {FIRST} values (1, 'long')")
    with pytest.raises(psycopg2.errors.NotNullViolation, match=SECOND):
        sql(f"insert into {FIRST} ({LONGEST}) values ('x')")
    sql(f"create table {SECOND} (like {FIRST}); insert into {SECOND} values (1, 'x')")
    sql(f"alter table {FIRST} append from {SECOND}")
    assert sql(f"select {LONGEST} from {FIRST}") == [("x",)]
    sql(f"alter table {FIRST} drop column {LONGEST}; alter table {FIRST} rename to t")
    assert sql(columns, schema, "t") == [(SECOND,)]


@source("CREATE VIEW")
def test_views(sql: Sql, psycopg: Connect, schema: str) -> None:
    sql(f"create table {FIRST} ({SECOND} int); insert into {FIRST} values (1)")
    sql(f"create view {LONGEST} as select {SECOND} as {FIRST} from {FIRST}")
    sql(f"create view late_{FIRST} as select {SECOND} from {schema}.{FIRST} with no schema binding")
    sql(f"create materialized view stored_{FIRST} as select {SECOND} from {FIRST}")
    for view, column in ((LONGEST, FIRST), (f"late_{FIRST}", SECOND), (f"stored_{FIRST}", SECOND)):
        cursor = psycopg().cursor()
        cursor.execute(f"select * from {view}")
        assert (names_of(cursor), cursor.fetchall()) == ([column], [(1,)])
        ((definition,),) = sql("select definition from pg_views where viewname = %s", view)
        assert SECOND in definition
        assert FIRST in definition
    assert sql("select count(*) from svv_mv_info where name = %s", f"stored_{FIRST}") == [(1,)]
    columns = "pg_get_late_binding_view_cols() c(view_schema name, view_name name, name name, type varchar, number int)"
    assert sql(f"select view_name, name from {columns} where view_schema = %s", schema) == [(f"late_{FIRST}", SECOND)]
    sql(f"drop table {FIRST} cascade; create table {FIRST} ({SECOND} int); insert into {FIRST} values (2)")
    assert sql(f"select {SECOND} from late_{FIRST}") == [(2,)]


@source("CREATE PROCEDURE")
def test_procedures_and_functions(sql: Sql, schema: str) -> None:
    sql(f"create table {FIRST} ({SECOND} int)")
    sql(f"create procedure {FIRST}({LONGEST} int) as $$ begin insert into {FIRST} ({SECOND}) values ({LONGEST}); "
        f"create table {SECOND} as select {SECOND} as {FIRST} from {FIRST}; end $$ language plpgsql")  # fmt: skip
    sql(f"create function {SECOND}(int) returns int stable as $$ select $1 + 1 $$ language sql")
    sql(f"call {FIRST}(4)")
    assert sql(f"select {SECOND}({FIRST}) from {SECOND}") == [(5,)]
    assert [row[1:3] for row in sql(f"show procedures from schema {schema}")] == [(schema, FIRST)]
    assert [row[2] for row in sql(f"show functions from schema {schema} like '%2'")] == [SECOND]
    assert [row[2:4] for row in sql(f"show parameters of procedure {schema}.{FIRST}(int)")] == [(FIRST, LONGEST)]
    sql(f"comment on procedure {FIRST}(int) is 'x'; drop procedure {FIRST}(int)")
    assert sql("select count(*) from pg_proc where proname = %s", FIRST) == [(0,)]


@source("Names and identifiers")
def test_a_name_that_a_procedure_puts_together_is_cut_to_63_bytes_with_a_notice(psycopg: Connect) -> None:
    """PostgreSQL cuts it, and says so: the stand-in does not see it."""
    connection = psycopg()
    cursor = connection.cursor()
    cursor.execute(
        f"create procedure p() as $$ begin execute 'create table ' || '{FIRST}(a int)'; end $$ language plpgsql"
    )
    cursor.execute("call p()")
    assert f'identifier "{FIRST}" will be truncated to "{FIRST[:63]}"' in connection.notices[-1]


@source("CREATE TABLE")
def test_temporary_tables(sql: Sql) -> None:
    sql(f"create table #{FIRST} (a int); create temp table {SECOND} as select 2 as a; insert into #{FIRST} values (1)")
    assert sql(f"select * from #{FIRST} union all select * from {SECOND} order by 1") == [(1,), (2,)]
    sql(f"select 3 as {FIRST} into kept")
    assert sql("select table_name from svv_columns where column_name = %s", FIRST) == [("kept",)]


@source("Querying semistructured data")
def test_an_attribute_of_a_super_value(sql: Sql, psycopg: Connect) -> None:
    sql(f"""create table t ({SECOND} super); insert into t select json_parse('{{"{FIRST}": {{"{SECOND}": [7]}}}}')""")
    cursor = psycopg().cursor()
    cursor.execute(f"select q.{SECOND}.{FIRST}.{SECOND} from t q")
    assert (names_of(cursor), cursor.fetchall()) == ([SECOND], [("[7]",)])
    assert sql(f"select {FIRST}::int from t q, q.{SECOND}.{FIRST}.{SECOND} as {FIRST}") == [(7,)]


@source("PIVOT and UNPIVOT examples")
def test_pivot(sql: Sql, psycopg: Connect) -> None:
    sql(f"create table {FIRST} ({FIRST} int, kind varchar(100)); insert into {FIRST} values (1, 'x'), (2, '{SECOND}')")
    cursor = psycopg().cursor()
    cursor.execute(f"select * from {FIRST} pivot (sum({FIRST}) for kind in ('x', '{SECOND}' as {SECOND}))")
    assert (names_of(cursor), cursor.fetchall()) == (["x", SECOND], [(1, 2)])
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="more than 63 bytes"):
        sql(f"select * from {FIRST} pivot (sum({FIRST}) for kind in ('{SECOND}'))")


@source("CREATE USER")
def test_users_groups_and_grants(sql: Sql, schema: str) -> None:
    users, group = [f"{schema}_{FIRST}", f"{schema}_{SECOND}"], f"{schema}_{LONGEST}"[:127]
    for user in users:
        sql(f"create user {user} password disable")
    sql(f"create group {group} with user {users[0]}")
    try:
        sql(f"create table t ({LONGEST} int); grant select on t to {users[0]}, group {group}")
        sql(f"grant select ({LONGEST}) on t to {users[1]}; alter table t owner to {users[1]}")
        found = sql("select usename from pg_user where usename like %s order by 1", f"{schema}%")
        assert [name for (name,) in found] == users
        assert sql("select groname from pg_group where groname = %s", group) == [(group,)]
        assert sql("select tableowner from pg_tables where schemaname = %s", schema) == [(users[1],)]
        granted = sql(f"show grants on table {schema}.t for {users[0]}")
        assert [row[6] for row in granted] == [users[0]]
        names = "select identity_name from svv_relation_privileges where namespace_name = %s order by 1"
        assert {name for (name,) in sql(names, schema)} == {*users, group}
        assert [(row[3], row[7]) for row in sql(f"show column grants on table {schema}.t")] == [(LONGEST, users[1])]
        sql("drop table t")
    finally:
        sql(f"drop group {group}; drop user {users[0]}; drop user {users[1]}")


@source("CREATE USER")
def test_a_user_with_a_long_name_logs_in_and_defines_long_names(gateway: Listening, sql: Sql, schema: str) -> None:
    user = f"{schema}_{FIRST}"
    sql(f"create user {user} password 'Loader77Abc'; grant usage, create on schema {schema} to {user}")
    try:
        where = {"host": gateway.host, "port": gateway.port, "dbname": "dev", "password": "Loader77Abc"}
        connection = psycopg2.connect(user=user, **where)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"create table {schema}.{FIRST} ({SECOND} int primary key)")
            cursor.execute(f"select * from {schema}.{FIRST}")
            assert names_of(cursor) == [SECOND]
            cursor.execute("select tableowner, tablename from pg_tables where schemaname = %s", (schema,))
            assert cursor.fetchall() == [(user, FIRST)]
        connection.close()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(user=f"{schema}_{SECOND}", **where)
    finally:
        sql(f"drop table {schema}.{FIRST}; revoke all on schema {schema} from {user}; drop user {user}")


@source("SYS_QUERY_HISTORY")
def test_the_query_log_has_the_statement_and_its_error_with_whole_names(sql: Sql, schema: str) -> None:
    query = f"select * from {schema}.{LONGEST}"
    with pytest.raises(psycopg2.errors.UndefinedTable, match=LONGEST):
        sql(query)
    ((error,),) = sql("select error_message from sys_query_history where query_text = %s", query)
    assert LONGEST in error


@source("SET")
def test_a_long_value_of_a_setting_is_no_name(sql: Sql) -> None:
    sql(f"set query_group to '{LONGEST}'")
    assert sql("show query_group") == [(LONGEST,)]

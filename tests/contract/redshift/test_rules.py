"""Where Redshift is stricter than PostgreSQL, or simply otherwise. Each test names the documentation it follows."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[[], Any]


def source(page: str) -> Any:
    """The page of the Database Developer Guide that a test follows; docs/redshift.md is made from these."""
    return pytest.mark.documented(page)


@source("CREATE TABLE")
def test_primary_key_and_unique_are_declared_but_not_enforced(sql: Sql) -> None:
    sql("create table other (id int primary key)")
    sql("create table t (id int primary key, mail varchar(9) unique, foreign key (id) references other (id))")
    sql("insert into t values (1, 'a'), (1, 'a')")
    assert sql("select count(*) from t") == [(2,)]
    with pytest.raises(psycopg2.errors.NotNullViolation, match="Cannot insert a NULL value into column id"):
        sql("insert into t values (null, 'b')")


@source("Character types")
@pytest.mark.parametrize("statement", [
    "insert into t values ('éé')", "insert into t select 'éé'", "update t set a = 'éé'",
    "merge into t using s on t.a = s.a when matched then update set a = 'x' when not matched then insert values (s.a)",
])  # fmt: skip
def test_varchar_counts_bytes(sql: Sql, statement: str) -> None:
    sql("create table t (a varchar(3)); create table s (a varchar(9)); insert into s values ('éé')")
    sql("insert into t values ('é')")
    words = r"value too long for type character varying\(3\)"
    with pytest.raises(psycopg2.errors.StringDataRightTruncation, match=words):
        sql(statement)


@source("Character types")
def test_columns_added_or_copied_count_bytes_too(sql: Sql) -> None:
    sql("create table a (x varchar(3))")
    sql("create table b (like a)")
    sql("create table c as select * from a")
    sql("alter table a add column y varchar(3)")
    sql("alter table a alter column x type varchar(4)")
    sql("insert into a values ('éé', 'é')")
    for statement in ("insert into a values ('x', 'éé')", "insert into b values ('éé')", "insert into c values ('éé')"):
        with pytest.raises(psycopg2.errors.StringDataRightTruncation):
            sql(statement)


@source("Character types")
def test_types_have_their_default_lengths(sql: Sql) -> None:
    sql("create table t (a varchar, b char, c text, d varchar(max), e numeric, f nvarchar(5), g float, h super)")
    assert [row[0] for row in sql("select type from pg_table_def where tablename = 't'")] == [
        "character varying(256)", "character(1)", "character varying(256)", "character varying(65535)", "numeric(18,0)",
        "character varying(5)", "double precision", "super",
    ]  # fmt: skip


@source("TRUNCATE")
def test_truncate_commits(psycopg: Connect) -> None:
    connection = psycopg()
    connection.autocommit = False
    cursor = connection.cursor()
    cursor.execute("create table t (a int); create table u (a int); insert into t values (1)")
    connection.commit()
    cursor.execute("insert into u values (1)")
    cursor.execute("truncate t")
    connection.rollback()
    cursor.execute("select (select count(*) from t), (select count(*) from u)")
    assert cursor.fetchall() == [(0, 1)]


@source("LOCK")
def test_a_writer_waits_for_the_end_of_the_other_transaction(psycopg: Connect, sql: Sql) -> None:
    sql("create table t (a int)")
    first, second = psycopg(), psycopg()
    first.autocommit = False
    first.cursor().execute("insert into t values (1)")
    cursor = second.cursor()
    cursor.execute("set statement_timeout to 100")
    for statement in ("insert into t values (2)", "delete from t", "update t set a = 2"):
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute(statement)
    cursor.execute("select count(*) from t")
    assert cursor.fetchall() == [(0,)]
    held = sql("select lock_status from stv_locks where table_id = 't'::regclass::oid::bigint")
    assert held == [("Holding write lock    ",)]
    first.commit()
    cursor.execute("insert into t values (2)")


@source("Isolation levels in Amazon Redshift")
def test_a_transaction_reads_one_snapshot(psycopg: Connect, sql: Sql) -> None:
    sql("create table t (a int)")
    reader = psycopg()
    reader.autocommit = False
    cursor = reader.cursor()
    cursor.execute("select count(*) from t")
    sql("insert into t values (1)")
    cursor.execute("select count(*) from t")
    assert cursor.fetchall() == [(0,)]


@source("Isolation levels in Amazon Redshift")
def test_a_waiting_writer_sees_what_the_first_one_did(psycopg: Connect, sql: Sql) -> None:
    """The write lock comes before the snapshot, so the waiter does not fail."""
    sql("create table t (a int); insert into t values (1)")
    first, second = psycopg(), psycopg()
    first.autocommit = False
    first.cursor().execute("update t set a = a + 1")
    thread = Thread(target=lambda: second.cursor().execute("update t set a = a + 1"))
    thread.start()
    while sql("select count(*) from stv_locks where lock_status like 'Waiting%%'", "") == [(0,)]:
        pass
    first.commit()
    thread.join()
    assert sql("select a from t") == [(3,)]


@source("Unsupported PostgreSQL features")
@pytest.mark.parametrize(("statement", "code"), [
    ("insert into t values (1) on conflict do nothing", "42601"),
    ("insert into t values (1) returning a", "42601"),
    ("create index i on t (a)", "0A000"),
    ("create unique index i on t (a)", "0A000"),
    ("create table x (a int[])", "0A000"),
    ("create table x (a serial)", "0A000"),
    ("create table x (a uuid)", "0A000"),
    ("create table x (a int check (a > 0))", "0A000"),
    ("create table x (a int) inherits (t)", "42601"),
    ("create table x (a int) partition by range (a)", "42601"),
    ("copy t from stdin", "0A000"),
    ("create trigger x before insert on t execute function f()", "0A000"),
    ("create sequence s", "0A000"),
    ("create extension hstore", "0A000"),
    ("create type x as (a int)", "0A000"),
    ("create domain x as int", "0A000"),
    ("create rule r as on insert to t do nothing", "0A000"),
    ("listen x", "42601"),
    ("select array_agg(a) from t", "42883"),
    ("select a from t for update skip locked", "0A000"),
    ("select * from t tablesample system (1)", "42601"),
    ("select * from generate_series(1, 2) with ordinality", "42601"),
    ("select 1 as a, array[1, 2]", None),
])  # fmt: skip
def test_what_redshift_does_not_know_is_refused(sql: Sql, statement: str, code: str | None) -> None:
    sql("create table t (a int)")
    if code is None:
        sql(statement)
        return
    with pytest.raises(psycopg2.Error) as caught:
        sql(statement)
    assert caught.value.pgcode == code


@source("Unsupported PostgreSQL data types")
@pytest.mark.parametrize(("statement", "column", "kind"), [
    ("create table x (a int, b json)", "x.b", "json"), ("create temp table x (a uuid)", "x.a", "uuid"),
    ('create table public."x y" (a oid)', "x y.a", "oid"), ("alter table t add column b regclass", "t.b", "regclass"),
    ("create table x (a int[])", "x.a", "integer[]"),
])  # fmt: skip
def test_a_column_of_an_unsupported_type_is_named(sql: Sql, statement: str, column: str, kind: str) -> None:
    sql("create table t (a int)")
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as caught:
        sql(statement)
    assert f'Column "{column}" has unsupported type "{kind}".' in str(caught.value)
    assert sql("select 't'::regclass::oid::bigint > 0") == [(True,)]


@source("MERGE")
@pytest.mark.parametrize("tail", [
    "x using s on x.k = s.k when matched then update set v = 1 when not matched then insert values (1, 1)",
    "using (select * from s) q on t.k = q.k when matched then delete when not matched then insert values (1, 1)",
    "using s on t.k = s.k when matched and t.v = 1 then delete when not matched then insert values (1, 1)",
    "using s on t.k = s.k when matched then delete when not matched and s.v = 1 then insert values (1, 1)",
    "using s on t.k = s.k when matched then do nothing",
    "using s on t.k = s.k when matched then update set v = 1",
    "using s on t.k = s.k when not matched then insert values (1, 1)",
    "using s on t.k > s.k when matched then delete when not matched then insert values (1, 1)",
    "using s on t.k = s.k or t.v = 1 when matched then delete when not matched then insert values (1, 1)",
    "using t on t.k = t.k when matched then delete when not matched then insert values (1, 1)",
])  # fmt: skip
def test_merge_refuses_what_only_postgresql_takes(sql: Sql, tail: str) -> None:
    sql("create table t (k int, v int); create table s (k int, v int); insert into s values (1, 1)")
    with pytest.raises(psycopg2.Error) as caught:
        sql(f"merge into t {tail}")
    assert caught.value.pgcode in ("42601", "0A000")


@source("MERGE")
def test_a_merge_may_compare_further_columns(sql: Sql) -> None:
    sql("create table t (k int, v int); insert into t values (1, 1), (2, 2)")
    sql("create table s (k int, v int); insert into s values (1, 10), (2, 20)")
    tail = "when matched then update set v = s.v when not matched then insert values (s.k, s.v)"
    sql(f"merge into t using s on (t.k = s.k) and (t.v != 2) {tail}")
    assert sql("select k, v from t order by k, v") == [(1, 10), (2, 2), (2, 20)]


@source("Troubleshooting serializable isolation errors")
def test_serializable_isolation_is_violated_with_1023(psycopg: Connect, sql: Sql) -> None:
    sql("create table a (x int); create table b (x int)")
    first, second = psycopg(), psycopg()
    for connection in (first, second):
        connection.cursor().execute("set default_transaction_isolation to serializable")
        connection.autocommit = False
        connection.cursor().execute("select count(*) from a")
        connection.cursor().execute("select count(*) from b")
    first.cursor().execute("insert into a values (1)")
    second.cursor().execute("insert into b values (1)")
    first.commit()
    with pytest.raises(psycopg2.InternalError, match="1023"):
        second.commit()


@source("MERGE")
def test_merge_updates_inserts_and_deletes(sql: Sql) -> None:
    sql("create table t (k int, v int); insert into t values (1, 1), (2, 2)")
    sql("create table s (k int, v int); insert into s values (2, 20), (3, 30)")
    sql("merge into t using s q on t.k = q.k when matched then update set v = q.v "
        "when not matched then insert (k, v) values (q.k, q.v)")  # fmt: skip
    assert sql("select * from t order by k") == [(1, 1), (2, 20), (3, 30)]
    sql("merge into t using s on t.k = s.k when matched then delete when not matched then insert values (s.k, s.v)")
    assert sql("select * from t order by k") == [(1, 1)]


@source("MERGE")
def test_merge_fails_when_a_row_matches_twice(sql: Sql) -> None:
    sql("create table t (k int, v int); insert into t values (1, 1)")
    sql("create table s (k int, v int); insert into s values (1, 2), (1, 3)")
    with pytest.raises(psycopg2.Error, match="Found multiple matches to update the same tuple"):
        sql("merge into t using s on t.k = s.k when matched then update set v = s.v "
            "when not matched then insert values (s.k, s.v)")  # fmt: skip


@source("MERGE")
def test_merge_remove_duplicates(sql: Sql) -> None:
    sql("create table t (k int, v int); insert into t values (1, 1), (2, 2), (2, 2)")
    sql("create table s (k int, v int); insert into s values (2, 2), (3, 3), (3, 3), (1, 9)")
    sql("merge into t using s on t.k = s.k remove duplicates")
    assert sql("select * from t order by k, v") == [(1, 9), (2, 2), (3, 3)]


@source("ALTER TABLE APPEND")
def test_alter_table_append_moves_all_rows(sql: Sql) -> None:
    sql("create table t (a int, b varchar(3)); create table s (a int, b varchar(3)); insert into s values (1, 'x')")
    sql("alter table t append from s")
    assert sql("select a, b from t") == [(1, "x")]
    assert sql("select count(*) from s") == [(0,)]


@source("ALTER TABLE APPEND")
def test_alter_table_append_is_refused_in_a_transaction(psycopg: Connect, sql: Sql) -> None:
    sql("create table t (a int); create table s (a int)")
    connection = psycopg()
    connection.autocommit = False
    with pytest.raises(psycopg2.Error, match="transaction block"):
        connection.cursor().execute("alter table t append from s")


@source("CREATE TABLE")
def test_temporary_tables_by_number_sign(sql: Sql) -> None:
    sql("create table #mine (a int)")
    sql("insert into #mine values (1)")
    assert sql("select a from #mine") == [(1,)]
    sql("select a into #other from #mine")
    assert sql("select a from #other") == [(1,)]


@source("CREATE TABLE")
def test_storage_clauses_are_taken(sql: Sql) -> None:
    sql("create table t (id bigint identity(1, 1) encode az64 distkey, a varchar(9) default 'x' encode lzo not null, "
        "b timestamp default sysdate sortkey) diststyle key compound sortkey (b, a) backup no")  # fmt: skip
    sql("insert into t (a) values ('y')")
    assert sql("select id, a from t") == [(1, "y")]
    sql("create table u diststyle all distkey (a) sortkey auto as select a from t")
    sql("alter table t alter sortkey (a)")
    sql("alter table t alter diststyle even")


@source("Names and identifiers")
def test_names_have_any_characters_of_several_bytes(sql: Sql) -> None:
    sql("create temp table book\u200e (author\u200e varchar(9), \u2058 int, größe int)")
    sql("insert into book\u200e values ('x', 1, 2)")
    assert sql("select author\u200e, \u2058, b.größe from book\u200e b") == [("x", 1, 2)]


@source("Literals")
def test_a_number_ends_where_a_word_begins(sql: Sql) -> None:
    assert sql("select case 1when 1then 2else 3end") == [(2,)]


@source("HyperLogLog functions")
@pytest.mark.parametrize("call", ["hll_create_sketch(a)", "hll_cardinality(hll_create_sketch(a))", "hll_combine(a)"])
def test_sketches_are_refused_by_name(sql: Sql, call: str) -> None:
    sql("create table t (a int)")
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match=call.partition("(")[0].upper()) as caught:
        sql(f"select {call} from t")
    assert "stand-in" in str(caught.value.diag.message_hint)


@source("Spatial functions")
@pytest.mark.parametrize("statement", [
    "select st_geomfromtext('POINT(1 2)', 4326)", "select st_x(st_point(1, 2))", "create table t (g geometry)",
    "create table t (g geography)", "select 'x'::geometry",
])  # fmt: skip
def test_geometry_is_refused_by_name(sql: Sql, statement: str) -> None:
    """PostgreSQL has no such type without PostGIS, and a text in its place would pass for one."""
    with pytest.raises(psycopg2.errors.FeatureNotSupported) as caught:
        sql(statement)
    assert "stand-in" in str(caught.value.diag.message_hint)


def test_a_table_may_be_named_like_a_spatial_function(sql: Sql) -> None:
    sql("create table st_orders (a int)")
    sql("insert into st_orders (a) values (1)")
    assert sql("select a from st_orders") == [(1,)]


@source("STL_UNDONE")
def test_nothing_was_undone(sql: Sql) -> None:
    assert sql("select xact_id, xact_id_undone, table_id from stl_undone") == []


@source("CREATE TABLE")
def test_a_syntax_error_is_one(sql: Sql) -> None:
    for statement in ("create table t (a int) diststile even", "create table t (a int distkye)", "selec 1", "copy"):
        with pytest.raises(psycopg2.Error) as caught:
            sql(statement)
        assert caught.value.pgcode == "42601"


@pytest.mark.documented("Character types")
@pytest.mark.parametrize("kind", ["varchar(30)", "char(30)"])
def test_trailing_blanks_do_not_count_where_strings_are_compared(sql: Sql, kind: str) -> None:
    sql(f"create table kept (x {kind}, n int)")
    sql("insert into kept values ('b', 1), ('b  ', 2), (' b', 3), ('b1', 4)")
    assert sql("select count(*) from kept where x = 'b'") == [(2,)]
    assert sql("select count(*) from kept where x in ('b ', 'c')") == [(2,)]
    assert sql("select count(*) from kept where x <> 'b'") == [(2,)]
    assert sql("select count(distinct x) from kept") == [(3,)]
    assert sql("select count(*) from kept group by x order by 1") == [(1,), (1,), (2,)]
    assert sql("select count(*) from kept a join kept b on a.x = b.x") == [(6,)]
    for method in ("hashjoin", "mergejoin", "nestloop"):
        sql(f"set enable_{method} to off")
        assert sql("select count(*) from kept a join kept b on a.x = b.x") == [(6,)]
    assert sql("select n from kept order by x, n") == [(3,), (1,), (2,), (4,)]
    assert sql("select max(length(x)) from kept where x = 'b'") == [(3 if kind.startswith("varchar") else 1,)]


@pytest.mark.documented("MERGE")
def test_a_key_with_trailing_blanks_is_the_same_key(sql: Sql) -> None:
    sql("create table target (id varchar(10), v int, primary key (id)); create table source (id varchar(10), v int)")
    sql("insert into target values ('A1', 1); insert into source values ('A1  ', 2)")
    sql(
        "merge into target using source on target.id = source.id when matched then update set v = source.v"
        " when not matched then insert values (source.id, source.v)"
    )
    assert sql("select id, v from target") == [("A1", 2)]
    sql("insert into source values ('A1', 3)")
    with pytest.raises(psycopg2.Error, match="Found multiple matches"):
        sql(
            "merge into target using source on target.id = source.id when matched then update set v = source.v"
            " when not matched then insert values (source.id, source.v)"
        )

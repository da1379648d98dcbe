"""Plans of statements: what PostgreSQL gets, which locks are taken, what is refused."""

import pytest

from harness.redshift.statements import plan_script, resolve_aliases
from harness.redshift.tokens import join, tokenize


@pytest.mark.parametrize("sql", [
    "select 'it''s; \\' still' -- comment; x\n, \"a;b\" /* ; */ from t", "$body$ ; $body$",
    "a.b::varchar(max) >= 1e5", "",
])  # fmt: skip
def test_tokens_join_to_the_same_text(sql: str) -> None:
    assert join(tokenize(sql)) == sql


def test_statements_are_split_outside_strings_only() -> None:
    assert [plan.kind for plan in plan_script("select ';'; -- x;\n insert into t values (1);;")] == ["SELECT", "INSERT"]


@pytest.mark.parametrize(("sql", "locks"), [
    ("insert into s.t values (1)", ('"s"."t"',)), ("DELETE FROM T", ('"t"',)), ('update "T" set a = 1', ('"t"',)),
    ("copy t from 's3://b/k' iam_role 'r' csv", ('"t"',)), ("select 1", ()), ("truncate t", ()),
])  # fmt: skip
def test_writers_lock_their_table(sql: str, locks: tuple[str, ...]) -> None:
    (plan,) = plan_script(sql)
    assert plan.refusal is None
    assert plan.locks == locks


def test_a_lock_is_that_of_the_name_with_its_capitals_where_the_session_keeps_them() -> None:
    (plan,) = plan_script('update "T" set a = 1', keeps_capitals=True)
    assert plan.locks == ('"T"',)


def test_storage_clauses_disappear_and_keys_become_an_index() -> None:
    (plan,) = plan_script(
        "create table if not exists s.t (a int primary key encode az64, b varchar(max)) diststyle even"
    )
    assert plan.sql == 'CREATE TABLE IF NOT EXISTS "s"."t" ("a" integer NOT NULL, "b" varchar(65535))'
    index, declared = plan.after
    assert index == 'CREATE INDEX IF NOT EXISTS "t_pkey" ON "s"."t" ("a")'
    for said in ('"style": "EVEN"', '"encodings": {"a": "az64"}', '"kind": "p", "columns": ["a"]'):
        assert said in declared


@pytest.mark.parametrize(("sql", "names"), [
    ("select a as b, b + 1 from t", {"b"}), ("select a b, b + 1 from t", {"b"}), ('select a "B", "B" + 1', {"b"}),
    ("select a as b from t where b > 1", {"b"}), ("select a as b from t order by b", set()),
    ("select a as b, t.b from t", set()), ("select a as b, cast(c as b) from t", set()), ("select a as b, b(1)", set()),
    ("select b, a as b from t", set()), ("select a as b from (select b from u) s", set()),
    ("with s as (select a as b, b + 1 as c from t) select c from s", {"b"}),
    ("select a as b union select b from t", set()),
])  # fmt: skip
def test_lateral_aliases_that_may_be_meant(sql: str, names: set[str]) -> None:
    (plan,) = plan_script(sql)
    assert plan.aliases == names


def test_lateral_aliases_are_replaced_in_their_own_query_only() -> None:
    (plan,) = plan_script(
        "select distinct a + 1 as b, b * 2 as c, c + b, (select b from u) from t where c > 1 order by b"
    )
    assert " ".join(resolve_aliases(plan, frozenset(("b", "c"))).sql.split()) == (
        "select distinct a + 1 as b, ( a + 1 ) * 2 as c, ( ( a + 1 ) * 2 ) + ( a + 1 ), (select b from u) from t "
        "where ( ( a + 1 ) * 2 ) > 1 order by b"
    )
    assert resolve_aliases(plan, frozenset(("c",))).sql.startswith("select distinct a + 1 as b, b * 2 as c, ( b * 2 )")


@pytest.mark.parametrize(("sql", "sent"), [
    ("select 1 from pg_class c, pg_catalog.pg_attribute",
     "select 1 from redshift_catalog.pg_class c, redshift_catalog.pg_attribute"),
    ("select pg_class.relname from pg_class", "select pg_class.relname from redshift_catalog.pg_class"),
    ("select * from information_schema.columns", "select * from redshift_catalog.columns"),
    ("select name from pg_get_late_binding_view_cols() c(s name, name name, k varchar)",
     "select name from pg_get_late_binding_view_cols() c(s text, name text, k varchar)"),
    ("select pg_get_late_binding_view_cols()", "select pg_get_late_binding_view_cols()"),
    ("select format_type(1, 2), pg_catalog.pg_get_expr(a, b)",
     "select redshift_catalog.format_type(1, 2), redshift_catalog.pg_get_expr(a, b)"),
    ("select columns, 'pg_class' from s.pg_class", "select columns, 'pg_class' from s.pg_class"),
    ("select 1 where 1 and true", "select 1 where TRUE and true"), ("select 1 where 1 = 1", "select 1 where 1 = 1"),
])  # fmt: skip
def test_catalog_names_and_conditions(sql: str, sent: str) -> None:
    (plan,) = plan_script(sql)
    assert plan.sql == sent


@pytest.mark.parametrize(("sql", "analyzed"), [
    ("create temp table t distkey (a) as select 1 as a", 'ANALYZE "t"'),
    ("create table s.t as select 1", 'ANALYZE "s"."t"'),
    ("create table #t (a) as (select 1)", 'ANALYZE "#t"'),
    ("create table t (a int)", ""),
    ("create table t (like u)", ""),
])  # fmt: skip
def test_a_table_made_of_a_query_has_statistics_at_once(sql: str, analyzed: str) -> None:
    (plan,) = plan_script(sql)
    assert "; ".join(statement for statement in plan.after if not statement.startswith("DO ")) == analyzed


@pytest.mark.parametrize(("sql", "code"), [
    ("frobnicate", "42601"), ("create index i on t (a)", "0A000"), ("copy t from stdin", "0A000"),
    ("create table t (a varchar(70000))", "22023"), ("copy t from 's3://b/k' csv", "0A000"),
])  # fmt: skip
def test_refusals(sql: str, code: str) -> None:
    (plan,) = plan_script(sql)
    assert plan.refusal is not None
    assert plan.refusal.sqlstate == code

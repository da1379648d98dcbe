"""Plans of statements: what PostgreSQL gets, which locks are taken, what is refused."""

import pytest

from harness.redshift.statements import plan_script
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
    ("insert into s.t values (1)", ('"s"."t"',)), ("DELETE FROM T", ('"t"',)), ('update "T" set a = 1', ('"T"',)),
    ("copy t from 's3://b/k' iam_role 'r' csv", ('"t"',)), ("select 1", ()), ("truncate t", ()),
])  # fmt: skip
def test_writers_lock_their_table(sql: str, locks: tuple[str, ...]) -> None:
    (plan,) = plan_script(sql)
    assert plan.refusal is None
    assert plan.locks == locks


def test_storage_clauses_disappear_and_keys_become_an_index() -> None:
    (plan,) = plan_script(
        "create table if not exists s.t (a int primary key encode az64, b varchar(max)) diststyle even"
    )
    assert plan.sql == 'CREATE TABLE IF NOT EXISTS "s"."t" ("a" integer NOT NULL, "b" varchar(65535))'
    assert plan.after == ('CREATE INDEX IF NOT EXISTS "t_pkey" ON "s"."t" ("a")',)


@pytest.mark.parametrize(("sql", "analyzed"), [
    ("create temp table t distkey (a) as select 1 as a", 'ANALYZE "t"'),
    ("create table s.t as select 1", 'ANALYZE "s"."t"'),
    ("create table #t (a) as (select 1)", 'ANALYZE "#t"'),
    ("create table t (a int)", ""),
    ("create table t (like u)", ""),
])  # fmt: skip
def test_a_table_made_of_a_query_has_statistics_at_once(sql: str, analyzed: str) -> None:
    (plan,) = plan_script(sql)
    assert "; ".join(plan.after) == analyzed


@pytest.mark.parametrize(("sql", "code"), [
    ("frobnicate", "42601"), ("create index i on t (a)", "0A000"), ("copy t from stdin", "0A000"),
    ("create table t (a varchar(70000))", "22023"), ("copy t from 's3://b/k' csv", "0A000"),
])  # fmt: skip
def test_refusals(sql: str, code: str) -> None:
    (plan,) = plan_script(sql)
    assert plan.refusal is not None
    assert plan.refusal.sqlstate == code

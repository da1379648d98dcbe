"""Materialized views, which the catalog shows as views. Source: Database Developer Guide"""

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented
QUERY = "select region, sum(amount) as total from sales group by 1"


@pytest.fixture
def made(sql: Sql, schema: str) -> str:
    """A materialized view over two rows; its statement."""
    statement = (
        f"create materialized view totals backup no diststyle key distkey(region) sortkey(region, total) "
        f"auto refresh yes as ({QUERY})"
    )
    sql("create table sales (region varchar(3), amount integer)")
    sql("insert into sales values ('a', 1), ('a', 2)")
    sql(statement)
    assert schema
    return statement


@source("REFRESH MATERIALIZED VIEW")
def test_a_materialized_view_changes_when_it_is_refreshed(sql: Sql, made: str) -> None:
    assert made
    sql("insert into sales values ('b', 4)")
    assert sql("select * from totals") == [("a", 3)]
    sql("refresh materialized view totals")
    assert sql("select * from totals order by 1") == [("a", 3), ("b", 4)]


@source("CREATE MATERIALIZED VIEW")
def test_the_catalog_shows_a_materialized_view_as_a_view(sql: Sql, made: str, schema: str) -> None:
    assert sql("select relkind from pg_class where oid = 'totals'::regclass") == [("v",)]
    assert sql("select definition from pg_views where schemaname = %s", schema) == [(made + ";",)]
    assert sql("select view_definition from information_schema.views where table_schema = %s", schema) == [
        (made + ";",)
    ]
    types = sql(
        "select table_name, table_type from information_schema.tables where table_schema = %s order by 1", schema
    )
    assert types == [("sales", "BASE TABLE"), ("totals", "VIEW")]
    columns = "select column_name, data_type from {} where table_schema = %s and table_name = 'totals' order by 1"
    for relation in ("information_schema.columns", "svv_columns"):
        assert sql(columns.format(relation), schema) == [("region", "character varying"), ("total", "bigint")]
    (shown,) = sql(f"show tables from schema dev.{schema} like 'totals'")
    assert "MATERIALIZED VIEW" in shown


@source("SVV_MV_INFO")
def test_materialized_views_are_listed(sql: Sql, made: str, schema: str) -> None:
    assert made
    sql("create materialized view plain as select 1 as one")
    listed = sql("select name, user_name, autorefresh from svv_mv_info where schema_name = %s order by 1", schema)
    assert [tuple(value.strip() for value in row) for row in listed] == [
        ("plain", "awsuser", "f"), ("totals", "awsuser", "t"),
    ]  # fmt: skip
    assert len(sql("select autorefresh from stv_mv_info where schema = %s", schema)) == 2
    storage = sql('select "table", diststyle, sortkey1 from svv_table_info where schema = %s order by 1', schema)
    assert [row[:2] for row in storage] == [("plain", "EVEN"), ("sales", "AUTO(ALL)"), ("totals", "KEY(region)")]
    assert storage[2][2] == "region"
    sql("drop materialized view plain")
    assert len(sql("select name from svv_mv_info where schema_name = %s", schema)) == 1


@source("COMMENT")
def test_a_comment_on_a_view_may_be_on_a_materialized_one(sql: Sql) -> None:
    sql("create table t (a int); create view v as select a from t; create materialized view m as select a from t")
    for name in "vm":
        sql(f"comment on view {name} is $words$it's \\ {name}$words$; comment on column {name}.a is 'a'")
    shown = "select relname, obj_description(oid, 'pg_class') from pg_class where oid in ('v'::regclass, 'm'::regclass)"
    assert sorted(sql(shown)) == [("m", "it's \\ m"), ("v", "it's \\ v")]
    sql("comment on view m is null")
    assert sorted(sql(shown))[0] == ("m", None)
    with pytest.raises(psycopg2.errors.UndefinedTable):
        sql("comment on view nothing is 'x'")
    with pytest.raises(psycopg2.errors.WrongObjectType):
        sql("comment on view t is 'x'")


@source("ALTER MATERIALIZED VIEW")
def test_auto_refresh_is_altered(sql: Sql, made: str, schema: str) -> None:
    assert made
    shown = "select autorefresh from svv_mv_info where schema_name = %s"
    sql(f"alter materialized view {schema}.totals auto refresh no")
    assert sql(shown, schema) == [("f",)]
    sql('alter materialized view "totals" auto refresh yes')
    assert sql(shown, schema) == [("t",)]
    with pytest.raises(psycopg2.errors.WrongObjectType):
        sql("alter materialized view sales auto refresh yes")
    with pytest.raises(psycopg2.errors.SyntaxError):
        sql("alter materialized view totals auto refresh perhaps")


@source("CREATE MATERIALIZED VIEW")
def test_the_catalog_has_the_table_in_which_it_is_kept(sql: Sql, made: str, schema: str) -> None:
    """Where dbt-redshift looks for its keys; no list of tables has it."""
    assert made
    kept = (
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid "
        "where n.nspname = %s and c.relname like 'mv_tbl__totals__%%' and c.relkind = 'r' and a.attnum > 0"
    )
    keys = sql(f"select a.attname, a.attisdistkey, a.attsortkeyord {kept} order by a.attnum", schema)
    assert keys == [("region", True, 1), ("total", False, 2)]
    assert [row[2] for row in sql(f"show tables from schema dev.{schema}")] == ["sales", "totals"]
    sql("drop materialized view totals")
    assert sql(f"select 1 {kept}", schema) == []

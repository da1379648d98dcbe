"""Columns that a table or view has of literals. Source: Database Developer Guide; dbt-redshift's functional tests."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented


@source("CREATE TABLE AS")
def test_literals_are_as_long_as_they_are_written(sql: Sql, schema: str) -> None:
    """As dbt-redshift's tests of columns in a relation have it, of a view; a table's columns hold no more than that."""
    query = (
        "select 1.23 as n, -0.5 as m, cast('é' as text) as c, 'a''b' d, 7 as i, 'abcd'::varchar as e, 'x'::varchar(9) "
        "as f from (select 'x' as x) where x = 'x' limit 1"
    )
    sql(f"create view seen as {query}")
    sql(f"create table made as {query}")
    sql(f"create materialized view kept as {query}")
    sql(f"create view late as {query} with no schema binding")
    columns = (
        "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
        "from svv_columns where table_schema = %s and table_name = %s order by ordinal_position"
    )
    for name in ("seen", "made", "kept"):
        assert sql(columns, schema, name) == [
            ("n", "numeric", None, 3, 2), ("m", "numeric", None, 2, 1), ("c", "character varying", 2, None, None),
            ("d", "character varying", 3, None, None), ("i", "integer", None, 32, 0),
            ("e", "character varying", 4, None, None), ("f", "character varying", 9, None, None),
        ]  # fmt: skip
    late = sql(
        "select col_name, col_type from pg_get_late_binding_view_cols() "
        "cols(schema_name name, view_name name, col_name name, col_type varchar, num int) "
        "where schema_name = %s and view_name = 'late' order by num", schema,
    )  # fmt: skip
    assert late[:3] == [
        ("n", "numeric(3,2)"), ("m", "numeric(2,1)"), ("c", "character varying(2)"),
    ]  # fmt: skip
    assert sql("select n, m, c, d, i, e, f from seen") == sql("select * from made")
    with pytest.raises(psycopg2.errors.StringDataRightTruncation):
        sql("insert into made (c) values ('éa')")
    with pytest.raises(psycopg2.errors.NumericValueOutOfRange):
        sql("insert into made (n) values (12.3)")


@source("CREATE TABLE AS")
def test_a_literal_of_a_union_is_what_the_other_queries_are(sql: Sql) -> None:
    sql("create table t as select '1' as n, 'a' as c union all select 22, 'long'")
    sql("insert into t values (3, 'longer')")
    assert sql("select sum(n) from t") == [(26,)]
    sql("create table u as select distinct 'a', 1.5 as b where exists (select 'x' union select 'yy')")
    assert sql('select "?column?", b from u') == [("a", Decimal("1.5"))]

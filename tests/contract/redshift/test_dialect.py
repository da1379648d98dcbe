"""Functions and clauses of the dialect. Source: Database Developer Guide, "SQL functions reference" and "SELECT"."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
DAY = dt.datetime


@pytest.mark.parametrize(("page", "expression", "expected"), [
    ("NVL and COALESCE functions", "nvl(null, 2)", 2),
    ("NVL2 function", "nvl2(null, 'a', 'b')", "b"),
    ("DECODE expression", "decode(null, 1, 'x', null, 'none', 'other')", "none"),
    ("DECODE expression", "decode(3, 1, 'x', 'other')", "other"),
    ("DATEADD function", "dateadd(month, 1, '2024-01-31')", DAY(2024, 2, 29)),
    ("DATEADD function", "dateadd(month, 1, '2024-02-29'::date)", DAY(2024, 3, 31)),
    ("DATEADD function", "dateadd(m, 30, '2024-01-01 00:00:00')", DAY(2024, 1, 1, 0, 30)),
    ("DATEADD function", "dateadd('year', -1, '2024-02-29'::timestamp)", DAY(2023, 2, 28)),
    ("DATEDIFF function", "datediff(day, '2024-01-01 23:59', '2024-01-02 00:01')", 1),
    ("DATEDIFF function", "datediff(qtr, '1998-07-01', '2024-01-01')", 102),
    ("DATEDIFF function", "datediff(week, '2024-01-06', '2024-01-07')", 1),
    ("DATEDIFF function", "datediff(hour, '2024-01-01 00:59', '2024-01-01 01:00')", 1),
    ("LAST_DAY function", "last_day('2024-02-03')", dt.date(2024, 2, 29)),
    ("ADD_MONTHS function", "add_months('2008-03-31', 1)", DAY(2008, 4, 30)),
    ("MONTHS_BETWEEN function", "months_between('1969-03-18', '1969-01-18')", 2.0),
    ("NEXT_DAY function", "next_day('2014-08-20', 'Tuesday')", dt.date(2014, 8, 26)),
    ("TRUNC function", "trunc('2011-07-21 10:32:38'::timestamp)", dt.date(2011, 7, 21)),
    ("CONVERT_TIMEZONE function", "convert_timezone('Europe/Berlin', '2024-07-01 10:00')", DAY(2024, 7, 1, 12)),
    ("CONVERT function", "convert(integer, '7')", 7),
    ("LEN function", "len('tré')", 3),
    ("CHARINDEX function", "charindex('fish', 'dogfish')", 4),
    ("STRTOL function", "strtol('abcd1234', 16)", 2882343476),
    ("SHA2 function", "sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("REGEXP_REPLACE function", "regexp_replace('a1b2', '[0-9]', '#')", "a#b#"),
    ("REGEXP_REPLACE function", "regexp_replace('ab', '(a)(b)', '$2$1')", "ba"),
    ("REGEXP_SUBSTR function", "regexp_substr('abc', '[0-9]')", ""),
    ("REGEXP_COUNT function", "regexp_count('aXbX', 'X')", 2),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{\"a\":{\"b\":\"c\"}}', 'a', 'b')", "c"),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{\"a\":1}', 'x')", ""),
    ("JSON_ARRAY_LENGTH function", "json_array_length('[1, 2, 3]')", 3),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT function", "json_extract_array_element_text('[111, 112]', 1)", "112"),
    ("IS_VALID_JSON function", "is_valid_json('{\"a\":2}')", True),
    ("IS_VALID_JSON function", "is_valid_json('{2}')", False),
    ("JSON_PARSE function", "json_serialize(json_parse('[1]'))", "[1]"),
    ("Literals", r"'it\'s' || 'a''b'", "it'sa'b"),
    ("Character types", "'x'::varchar(max)", "x"),
    ("PG_LAST_COPY_ID", "pg_last_copy_id()", -1),
    ("SHOW", "current_setting('default_transaction_isolation')", "repeatable read"),
])  # fmt: skip
def test_expressions(sql: Sql, page: str, expression: str, expected: object) -> None:
    assert page
    assert sql(f"select {expression}") == [(expected,)]


@pytest.mark.documented("SYSDATE function")
def test_clock(sql: Sql) -> None:
    ((now, today, sysdate_, date_),) = sql("select getdate(), trunc(getdate()), sysdate, current_date")
    assert now.microsecond == 0
    assert today == date_
    assert abs(sysdate_ - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=5)


@pytest.fixture
def sales(sql: Sql) -> Sql:
    sql("create table sales (shop varchar(9), item varchar(9), amount int)")
    sql("insert into sales values ('a', 'x', 1), ('a', 'y', 3), ('b', 'x', 5), ('b', 'z', 5), ('b', 'z', 10)")
    return sql


@pytest.mark.documented("LISTAGG function")
def test_listagg(sales: Sql) -> None:
    rows = sales(
        "select shop, listagg(distinct item, ', ') within group (order by item) from sales group by 1 order by 1"
    )
    assert rows == [("a", "x, y"), ("b", "x, z")]
    assert sales("select listagg(amount) within group (order by amount desc) from sales where shop = 'a'") == [("31",)]
    rows = sales("select distinct shop, listagg(item, '|') within group (order by amount, item) "
                 "over (partition by shop) from sales order by 1")  # fmt: skip
    assert rows == [("a", "x|y"), ("b", "x|z|z")]


@pytest.mark.documented("MEDIAN function")
def test_median_and_ratio_to_report(sales: Sql) -> None:
    assert sales("select shop, median(amount) from sales group by shop order by 1") == [("a", 2.0), ("b", 5.0)]
    rows = sales(
        "select amount, ratio_to_report(amount) over (partition by shop) from sales where shop = 'a' order by 1"
    )
    assert rows == [(1, 0.25), (3, 0.75)]


@pytest.mark.documented("APPROXIMATE COUNT(DISTINCT)")
def test_approximate_count(sales: Sql) -> None:
    assert sales("select approximate count(distinct item) from sales") == [(3,)]


@pytest.mark.documented("QUALIFY clause")
def test_qualify(sales: Sql) -> None:
    rows = sales("select shop, item, amount from sales "
                 "qualify row_number() over (partition by shop order by amount desc) = 1 order by shop")  # fmt: skip
    assert rows == [("a", "y", 3), ("b", "z", 10)]
    rows = sales("select shop, row_number() over (partition by shop order by amount, item) as n from sales "
                 "where amount > 1 qualify n = 1 order by 1")  # fmt: skip
    assert rows == [("a", 1), ("b", 1)]


@pytest.mark.documented("SELECT list")
def test_top(sales: Sql) -> None:
    assert sales("select top 2 amount from sales order by amount desc") == [(10,), (5,)]
    assert sales("select count(*) from (select top 3 * from sales) t") == [(3,)]


@pytest.mark.documented("Analyzing tables")
def test_a_table_made_of_a_query_is_analyzed_at_once(sql: Sql) -> None:
    sql("create table plain (a int)")
    sql("insert into plain select generate_series(1, 300)")
    sql("create temp table made distkey (a) as select a from plain")
    assert sql("select relname, reltuples from pg_class where relname in ('made', 'plain') order by 1") == [
        ("made", 300.0), ("plain", -1.0),
    ]  # fmt: skip


@pytest.mark.documented("UNION, INTERSECT, and EXCEPT")
def test_minus(sales: Sql) -> None:
    assert sales("select item from sales where shop = 'a' minus select item from sales where shop = 'b'") == [("y",)]


@pytest.mark.documented("SUPER type")
def test_super(sql: Sql) -> None:
    sql("create table t (s super)")
    sql("insert into t values (json_parse('{\"a\":[1,2]}'))")
    assert sql("select json_typeof(s), get_array_length(s -> 'a') from t") == [("object", 2)]


@pytest.mark.documented("Overview of stored procedures in Amazon Redshift")
def test_stored_procedure(sql: Sql) -> None:
    sql("create table t (a int)")
    sql("create or replace procedure fill(n int) as $$ begin insert into t values (nvl(n, 7)), "
        "(datediff(day, '2024-01-01', '2024-01-03')); end; $$ language plpgsql")  # fmt: skip
    sql("call fill(null)")
    assert sql("select a from t order by 1") == [(2,), (7,)]


@pytest.mark.documented("SET")
def test_parameters_of_redshift(sql: Sql) -> None:
    assert sql("show enable_case_sensitive_identifier") == [("off",)]
    sql("set enable_case_sensitive_identifier to true")
    assert sql("show enable_case_sensitive_identifier") == [("true",)]
    sql("set query_group to 'reports'")
    sql("reset query_group")
    assert sql("show query_group") == [("default",)]


@pytest.mark.documented("Numeric types")
def test_numeric_defaults(sql: Sql) -> None:
    sql("create table t (a decimal, b decimal(8, 2))")
    sql("insert into t values (1.6, 1.005)")
    assert sql("select a, b from t") == [(Decimal(2), Decimal("1.01"))]


@pytest.mark.documented("COMMENT")
def test_unknown_functions_stay_unknown(sql: Sql) -> None:
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        sql("select frobnicate(1)")

"""Functions whose answer PostgreSQL has otherwise, or not at all: what the examples of their pages show.

Source: Database Developer Guide, "SQL functions reference".
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
UTC = dt.UTC


@pytest.mark.parametrize(("page", "expression", "expected"), [
    ("ADD_MONTHS function", "add_months('2008-04-30', 1)", dt.datetime(2008, 5, 31)),
    ("DATEADD function", "dateadd(month, 12, '2016-02-29')", dt.datetime(2017, 2, 28)),
    ("DATEADD function", "dateadd(month, -1, '2024-03-31')", dt.datetime(2024, 2, 29)),
    ("DATEADD function", "dateadd(quarter, 1, '2023-11-30')", dt.datetime(2024, 2, 29)),
    ("DATEADD function", "dateadd(hour, 2, timetz '13:24:55 PST')", dt.time(23, 24, 55, tzinfo=UTC)),
    ("DATEDIFF function", "datediff(hours, timetz '20:00:00 PST', timetz '00:58:00 EST')", 1),
    ("EXTRACT function", "extract(ms from timestamp '2009-09-09 12:08:43.101')", 101),
    ("EXTRACT function", "extract(ms from time '18:25:33.123456')", 123),
    ("EXTRACT function", "extract(ms from timetz '18:25:33.123456 EST')", 123),
    ("EXTRACT function", "extract(timezone_hour from timetz '1.12.1997 07:37:16.00 PDT')", -7),
    ("EXTRACT function", "extract(year from timestamptz '1.12.1997 07:37:16.00 PST')", 1997.0),
    ("EXTRACT function", "extract(hour from date '2008-01-02')", 0),
    ("EXTRACT function", "extract(day from interval '3 days 4 hours')", 3),
    ("Date parts for date or timestamp functions", "extract(sec from timestamp '2009-09-21 11:10:03.189717')", 3),
    ("Date parts for date or timestamp functions", "date_part(sec, timestamp '2009-09-21 11:10:03.189717')", 3.189717),
    ("Date parts for date or timestamp functions", "extract(decade from timestamp '1999-02-16 20:38:40')", 200),
    ("Date parts for date or timestamp functions", "extract(decade from timestamp '2000-02-16 20:38:40')", 201),
    ("Date parts for date or timestamp functions", "extract(century from timestamp '2000-12-16 12:21:13')", 20),
    ("Date parts for date or timestamp functions", "extract(mil from timestamp '2001-12-16 12:21:13')", 3),
    ("Date parts for date or timestamp functions", "extract(epoch from timestamp '2262-01-01')", 9214646400),
    ("DATE_PART function", "date_part(microsecond, timestamp '20220502 04:05:06.789')", 789000.0),
    ("TO_DATE function", "to_date('20010631', 'YYYYMMDD', false)", dt.date(2001, 7, 1)),
    ("TO_DATE function", "to_date('20010631', 'YYYYMMDD')", dt.date(2001, 7, 1)),
    ("TO_DATE function", "to_date('02 Oct 2001', 'DD Mon YYYY')", dt.date(2001, 10, 2)),
    ("TO_TIMESTAMP function", "to_timestamp('2017', 'YYYY')", dt.datetime(2017, 1, 1, tzinfo=UTC)),
    ("TO_TIMESTAMP function", "to_timestamp('2011-12-18 24:38:15', 'YYYY-MM-DD HH24:MI:SS')",
     dt.datetime(2011, 12, 19, 0, 38, 15, tzinfo=UTC)),
    ("TO_TIMESTAMP function", "to_timestamp(timestamp '2021-04-05 19:27:53.28', 'YYYY-MM-DD HH24:MI:SS')",
     dt.datetime(2021, 4, 5, 19, 27, 53, tzinfo=UTC)),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(1)", 1392991556),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(1::smallint) = murmur3_32_hash(1::bigint)", True),
    ("MURMUR3_32_HASH function", "murmur3_32_hash('Amazon Redshift')", -1563580564),
    ("MURMUR3_32_HASH function", "murmur3_32_hash('abcd')", 1139631978),
    ("MURMUR3_32_HASH function", "murmur3_32_hash('cd', murmur3_32_hash('ab'))", 1711522338),
    # Iceberg's own examples, "Appendix B: 32-bit hash requirements"
    ("MURMUR3_32_HASH function", "murmur3_32_hash(34)", 2017239379),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(14.20)", -500754589),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(date '2017-11-16')", -653330422),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(timestamp '2017-11-16 22:31:08')", -2047944441),
    ("MURMUR3_32_HASH function", "murmur3_32_hash('iceberg')", 1210000089),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(from_hex('00010203'))", -188683207),
    ("MURMUR3_32_HASH function", "murmur3_32_hash(1.0::float8)", -142385009),
    ("FARMFINGERPRINT64 function", "farmfingerprint64('Amazon Redshift')", 8085098817162212970),
    ("FARMFINGERPRINT64 function", "farmfingerprint64('Amazon Redshift'::varbyte)", 8085098817162212970),
    ("GETBIT function", "getbit(from_hex('4d'), 2)", 1),
    ("EXTRACT function", "extract(decade from interval '25 years')", 2),
    ("EXTRACT function", "extract(second from interval '-1.5 seconds')", -1),
    ("GETBIT function", "getbit(from_hex('014d'), 8) * 10 + getbit(from_hex('014d'), 7)", 10),
    ("JSON_SERIALIZE_TO_VARBYTE function", "json_serialize_to_varbyte(json_parse('[10001,10002,\"abc\"]'))::varchar",
     '[10001,10002,"abc"]'),
    ("VARBYTE data type", "from_hex('616263')::varchar(2)", "ab"),
    ("CONCAT function", "to_hex(concat('abc'::varbyte, 'def'::varbyte))", "616263646566"),
    ("CONCAT function", "concat('a', 5)", "a5"),
    ("LEN function", "len('aaa'::varbyte)", 3),
    ("VARBYTE operators", "to_hex('a'::varbyte || 'b'::varbyte) || to_hex('a'::varbyte + 'b'::varbyte)", "61626162"),
    ("VARBYTE operators", "from_varbyte(~'a'::varbyte, 'binary')", "10011110"),
    ("VARBYTE operators", "from_varbyte('a'::varbyte & 'b'::varbyte, 'binary')", "01100000"),
    ("VARBYTE operators", "to_hex(from_hex('0102') | from_hex('f0'))", "01f2"),
    ("VARBYTE operators", "to_hex('a'::varbyte # 'b'::varbyte)", "03"),
    ("VARBYTE data type", "to_hex(5::smallint::varbyte)", "0005"),
    ("VARBYTE data type", "to_hex(5::int::varbyte)", "00000005"),
    ("VARBYTE data type", "to_hex(5::bigint::varbyte)", "0000000000000005"),
    ("LENGTH function", "length(123) + length('ab')", 5),
    ("TEXT_TO_INT_ALT function", "text_to_int_alt('123-')", -123),
    ("TEXT_TO_INT_ALT function", "text_to_int_alt('2147483647+')", 2147483647),
    ("TEXT_TO_INT_ALT function", "text_to_int_alt('-123E-2')", -1),
    ("TEXT_TO_INT_ALT function", "text_to_int_alt(' ')", 0),
    ("TEXT_TO_NUMERIC_ALT function", "text_to_numeric_alt('1.5')", Decimal(2)),
    ("TEXT_TO_NUMERIC_ALT function", "text_to_numeric_alt('2.5')", Decimal(2)),
    ("TEXT_TO_NUMERIC_ALT function", "text_to_numeric_alt('2.51')", Decimal(3)),
    ("TEXT_TO_NUMERIC_ALT function", "text_to_numeric_alt('123.52501', 10, 2)", Decimal("123.53")),
    ("REGEXP_SUBSTR function",
     r"regexp_substr('This is a cat, this is a dog. This is a mouse.', 'this is a (\\w+)', 1, 2, 'ie')", "dog"),
    ("REGEXP_SUBSTR function", "regexp_substr('the fox', 'FOX', 1, 1, 'ie')", "fox"),
    ("REGEXP_SUBSTR function", r"regexp_substr('a(b', '\\(b', 1, 1, 'e')", "(b"),
    ("ARRAY_FLATTEN function", "json_serialize(array_flatten(array(1, array(2, array(3, array())))))", "[1,2,3]"),
    ("SUBSTRING function", "substring(timestamp '2008-09-01 10:00:00', 6, 2)", "09"),
    ("SUBSTRING function", "substring(timestamp '2008-09-01 10:00:00' from 6 for 2)", "09"),
    ("SPLIT_PART function", "split_part(timestamp '2008-09-01 10:00:00', '-', 2)", "09"),
    ("LTRIM function", "ltrim(date '2008-09-01', '2008-')", "9-01"),
    ("REVERSE function", "reverse(456)", "654"),
    ("REPEAT function", "repeat(7::smallint, 3)", "777"),
    ("STRPOS function", "strpos(12.50, '.')", 3),
    ("CHARINDEX function", "charindex('.', 12.50)", 3),
    ("POSITION function", "position('.' in 12.50)", 3),
    ("DATE_TRUNC function", "timestamp '2008-09-01 10:00:00' like '2008-09%'", True),
    ("LIKE", "12 not like '2%' and date '2008-09-01' ilike '2008%'", True),
    ("DB_COLLATION function", "db_collation()", "case_sensitive"),
    ("CURRENT_USER_ID", "current_user_id > 0", True),
    ("VERSION function", "version() like 'PostgreSQL 8.0.2 %, Redshift 1.0.%'", True),
])  # fmt: skip
def test_documented_answers(sql: Sql, page: str, expression: str, expected: object) -> None:
    assert sql(f"select {expression}") == [(expected,)], page


@pytest.mark.documented("AVG function")
@pytest.mark.parametrize(
    ("type_name", "expected"),
    [("smallint", 2), ("integer", 2), ("bigint", 2), ("decimal(5, 2)", Decimal("2.66")), ("real", 8 / 3)],
)
def test_avg_has_the_documented_type(sql: Sql, type_name: str, expected: object) -> None:
    values = f"(select 1::{type_name} as x union all select 2 union all select 5 union all select null)"
    ((average, kind),) = sql(f"select avg(x), pg_typeof(avg(x)) from {values} as numbers")
    assert average == pytest.approx(expected)
    assert kind == {"decimal(5, 2)": "numeric", "real": "double precision"}.get(type_name, "bigint")
    assert sql(f"select avg(x) from {values} as numbers where x > 9") == [(None,)]


@pytest.mark.documented("AVG function")
def test_avg_in_a_window(sql: Sql) -> None:
    numbers = "(select 1 as x union all select 2 union all select 5) as numbers"
    assert sql(f"select avg(x) over (order by x rows 1 preceding) from {numbers} order by x") == [(1,), (1,), (3,)]


@pytest.mark.documented("AVG function")
def test_avg_of_large_numbers(sql: Sql) -> None:
    numbers = "(select 9223372036854775807 as x union all select 9223372036854775805) as numbers"
    assert sql(f"select avg(x) from {numbers}") == [(9223372036854775806,)]


@pytest.mark.documented("SUM function")
def test_sum_of_bigint_is_one(sql: Sql) -> None:
    assert sql("select pg_typeof(sum(x)), sum(x) from (select 3::bigint as x union all select 4) t") == [("bigint", 7)]
    assert sql("select pg_typeof(sum(x)) from (select 3::real as x) t") == [("double precision",)]
    with pytest.raises(psycopg2.errors.NumericValueOutOfRange):
        sql("select sum(x) from (select 9223372036854775807 as x union all select 1) t")


@pytest.mark.documented("MEDIAN function")
def test_median_is_not_an_average_of_integers(sql: Sql) -> None:
    assert sql("select median(x) over () from (select 1 as x union all select 2) t limit 1") == [(Decimal("1.5"),)]


@pytest.mark.documented("TO_DATE function")
def test_a_strict_date_is_in_range(sql: Sql) -> None:
    with pytest.raises(psycopg2.errors.DatetimeFieldOverflow, match="out of range"):
        sql("select to_date('20010631', 'YYYYMMDD', true)")
    with pytest.raises(psycopg2.errors.DatetimeFieldOverflow, match="out of range"):
        sql("select to_timestamp('2011-12-18 24:38:15', 'YYYY-MM-DD HH24:MI:SS', true)")


# of FarmHash's own implementation, by the number of letters of abc…z, again and again
FINGERPRINTS = {
    0: -7286425919675154353, 1: -5528939962900187677, 3: 2640714258260161385, 5: -4454264111583329068,
    8: -78300442537744119, 24: -7120367177115365641, 40: 4224718273921451922, 64: -7184832003244844038,
    65: 2608948203458330154, 128: -4385295067663546550, 200: 2725806534515858166,
}  # fmt: skip


@pytest.mark.documented("FARMFINGERPRINT64 function")
def test_fingerprints_of_every_length(sql: Sql) -> None:
    """FarmHash treats lengths to 3, 7, 16, 32, 64 and above apart."""
    text = "".join(chr(97 + index % 26) for index in range(200))
    lengths = " union all ".join(f"select {length} as n" for length in FINGERPRINTS)
    assert dict(sql(f"select n, farmfingerprint64(left('{text}', n)) from ({lengths}) as l")) == FINGERPRINTS


@pytest.mark.documented("DATEADD function")
@pytest.mark.parametrize(("expression", "name"), [
    ("dateadd(day, 1, '2008-02-28')", "date_add"), ("datediff(day, '2008-02-28', '2008-02-29')", "date_diff"),
    ("extract(day from date '2008-02-28')", "date_part"), ("date_part(day, date '2008-02-28')", "pgdate_part"),
    ("to_date('2008', 'YYYY')", "to_date"), ("concat('a', 'b')", "concat"), ("avg(1)", "avg"),
])  # fmt: skip
def test_columns_are_called_as_on_redshift(psycopg: Callable[[], Any], expression: str, name: str) -> None:
    with psycopg().cursor() as cursor:
        cursor.execute(f"select {expression}")
        assert [column.name for column in cursor.description] == [name]


@pytest.mark.documented("DATEADD function")
def test_an_unknown_function_has_the_name_that_was_written(sql: Sql) -> None:
    with pytest.raises(psycopg2.errors.UndefinedFunction, match=r"^function to_date\(integer\) does not exist"):
        sql("select to_date(1)")


@pytest.mark.documented("Computations with numeric values")
def test_a_number_that_does_not_fit_is_an_overflow(sql: Sql) -> None:
    with pytest.raises(psycopg2.errors.NumericValueOutOfRange, match=r"^Numeric data overflow \(result precision\)"):
        sql("select 123.456::decimal(2, 1)")


@pytest.mark.documented("PG_GET_COLS")
def test_columns_of_a_view(sql: Sql, schema: str) -> None:
    sql("create table kept (a int, b decimal(8, 2)); create view seen as select b, a from kept")
    rows = sql("select * from pg_get_cols('seen') cols(s name, v name, c name, t varchar, n int)")
    assert rows == [(schema, "seen", "b", "numeric(8,2)", 1), (schema, "seen", "a", "integer", 2)]


@pytest.mark.documented("LISTAGG function")
def test_listagg_of_distinct_values_in_another_order_is_refused(sql: Sql) -> None:
    sql("create table kept (a varchar(2), b int)")
    sql("insert into kept values ('x', 2), ('y', 1), ('x', 2)")
    assert sql("select listagg(distinct a, ',') within group (order by a desc) from kept") == [("y,x",)]
    for order in ("b", "b desc", "a, b", "a || b"):
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match="LISTAGG"):
            sql(f"select listagg(distinct a, ',') within group (order by {order}) from kept")


@pytest.mark.documented("Datetime types")
def test_a_time_with_a_zone_is_kept_in_utc(sql: Sql) -> None:
    sql("create table kept (t timetz)")
    sql("insert into kept values ('20:00:00 PST'), ('00:00:00.5550 UTC'), ('00:58:00 EST')")
    assert sorted(sql("select extract(hour from t), extract(ms from t) from kept")) == [(0, 555), (4, 0), (5, 0)]
    shown = sorted(time for (time,) in sql("select t from kept"))
    assert shown == [dt.time(0, 0, 0, 555000, UTC), dt.time(4, 0, tzinfo=UTC), dt.time(5, 58, tzinfo=UTC)]
    assert [time.utcoffset() for time in shown] == [dt.timedelta(0)] * 3


@pytest.mark.documented("AVG function")
def test_views_that_postgresql_made_with_its_own_sums_go_on(sql: Sql) -> None:
    sql("create table kept (a int, primary key (a))")
    assert sql("select sum(idx_blks_hit) > 0 from pg_statio_all_tables") == [(True,)]
    assert sql("select count(*) > 0 from pg_stat_all_tables where idx_scan > 0") == [(True,)]


@pytest.mark.documented("SUM function")
def test_sums_and_averages_of_intervals_and_of_distinct_values(sql: Sql) -> None:
    spans = "(select interval '1 day' as d union all select interval '3 day') t"
    assert sql(f"select sum(d), avg(d) from {spans}") == [(dt.timedelta(days=4), dt.timedelta(days=2))]
    numbers = "(select 1 as x union all select 1 union all select 5) t"
    assert sql(f"select sum(distinct x), avg(distinct x) from {numbers}") == [(6, 3)]


@pytest.mark.documented("GETBIT function")
@pytest.mark.parametrize("index", [-1, 8])
def test_a_bit_that_is_not_there(sql: Sql, index: int) -> None:
    with pytest.raises(psycopg2.Error, match="out of valid range"):
        sql(f"select getbit(from_hex('4d'), {index})")


@pytest.mark.documented("DATEADD function")
@pytest.mark.parametrize("part", ["month", "day", "fortnight"])
def test_a_time_has_no_days(sql: Sql, part: str) -> None:
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match=part):
        sql(f"select dateadd({part}, 1, timetz '13:24:55 PST')")


@pytest.mark.documented("CREATE TABLE")
def test_tables_may_be_called_like_functions_that_are_renamed(sql: Sql) -> None:
    for name in ("version", "avg", "sum", "to_date", "len"):
        sql(f"create table {name} (id int)")
        sql(f"insert into {name} (id) values (7)")
        assert sql(f"select id from {name}") == [(7,)]
        assert sql(f"with {name} (x) as (select 1), {name}2 (y) as (select 2) select x + y from {name}, {name}2") == [
            (3,)
        ]
        assert sql(f"with o as (select 1 as n), {name} (x) as (select 1) select x from {name}") == [(1,)]
        assert sql(f"select x from (select 1) as {name} (x)") == [(1,)]


@pytest.mark.documented("CREATE PROCEDURE")
def test_a_statement_put_together_at_run_time_has_the_functions_of_dates(sql: Sql, schema: str) -> None:
    sql("create table kept (n bigint)")
    sql(
        f"create procedure {schema}.put() as $$ begin execute 'insert into kept select datediff(''day'', "
        "date ''2024-01-01'', dateadd(''day'', 2, date ''2024-01-01'')::date)'; end $$ language plpgsql"
    )
    sql(f"call {schema}.put()")
    assert sql("select n from kept") == [(2,)]

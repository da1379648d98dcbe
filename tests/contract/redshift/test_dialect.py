"""Functions and clauses of the dialect. Source: Database Developer Guide, "SQL functions reference" and "SELECT"."""

import datetime as dt
import hashlib
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
    ("DATEADD function", "dateadd(month, 1, '2008-04-30'::date)", DAY(2008, 5, 30)),
    ("DATEADD function", "dateadd(m, 30, '2024-01-01 00:00:00')", DAY(2024, 1, 1, 0, 30)),
    ("DATEADD function", "dateadd('year', 1, '2016-02-29'::timestamp)", DAY(2017, 3, 1)),
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
    ("STRTOL function", "strtol('0xf', 16)", 15),
    ("STRTOL function", "strtol('1234567', 8)", 342391),
    ("STRTOL function", "strtol('-110101', 2)", -53),
    ("STRTOL function", "strtol('', 2)", 0),
    ("SHA2 function", "sha2('a', 0) = sha2('a', 256)", True),
    ("SHA2 function", "sha2('a', 7)", ""),
    ("SHA1 function", "sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("SHA1 function", "sha1(repeat('é', 100))", hashlib.sha1(("é" * 100).encode()).hexdigest()),
    ("FUNC_SHA1 function", "func_sha1('') = sha('')", True),
    ("MD5 function", "md5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a"),
    ("CRC32 function", "crc32('Amazon Redshift')", "f2726906"),
    ("FNV_HASH function", "fnv_hash(1)", -5968735742475085980),
    ("FNV_HASH function", "fnv_hash('Amazon Redshift')", 7783490368944507294),
    ("FNV_HASH function", "fnv_hash('Amazon Redshift', fnv_hash(1))", -2202602717770968555),
    ("FNV_HASH function", "fnv_hash('cd', fnv_hash('ab')) = fnv_hash('abcd')", True),
    ("OCTETINDEX function", "octetindex('AWS', 'Amazon AWS')", 8),
    ("OCTETINDEX function", "octetindex('AWS', 'Άμαζον AWS')", 14),
    ("OCTET_LENGTH function", "octet_length('français')", 9),
    ("CHR function", "chr(65)", "A"),
    ("CHR function", "chr(233)", None),
    ("CONCAT function", "concat('December 25, ', '2008')", "December 25, 2008"),
    ("CONCAT function", "concat('a', null)", None),
    ("SOUNDEX function", "soundex('Amazon')", "A525"),
    ("SOUNDEX function", "soundex('AWS Amazon')", "A252"),
    ("SOUNDEX function", "soundex('+-*/%')", ""),
    ("DIFFERENCE function", "difference('Amazon', 'Amazon')", 4),
    ("SPLIT_PART function", "split_part('abc$def$ghi', '$', 2)", "def"),
    ("SPLIT_PART function", "split_part('abc$def$ghi', '$', 4)", ""),
    ("INITCAP function", "initcap('nibh.enim@egestas.ca')", "Nibh.Enim@Egestas.Ca"),
    ("TRANSLATE function", "translate('mint tea', 'inea', 'osin')", "most tin"),
    ("REPLICATE function", "replicate('ab', 2)", "abab"),
    ("TO_HEX function", "to_hex(2147676847)", "8002f2af"),
    ("TO_HEX function", "to_hex('abc'::varbyte)", "616263"),
    ("FROM_HEX function", "to_hex(from_hex('6162'))", "6162"),
    ("TO_VARBYTE function", "to_hex(to_varbyte('01001101', 'binary'))", "4d"),
    ("TO_VARBYTE function", "to_hex(to_varbyte('4', 'hex'))", "04"),
    ("TO_VARBYTE function", "to_hex(to_varbyte('a', 'UTF8'))", "61"),
    ("FROM_VARBYTE function", "from_varbyte(from_hex('4d'), 'binary')", "01001101"),
    ("FROM_VARBYTE function", "from_varbyte('ab', 'hex')", "6162"),
    ("CAST function", "'éé'::varchar(3)", "é"),
    ("CAST function", "cast('français' as varchar(5))", "fran"),
    ("CAST function", "'€uro'::varchar(4)", "€u"),
    ("CAST function", "cast('français' as char(5))", "fran "),
    ("CAST function", "'€uro'::char(4)", "€u"),
    ("CAST function", "'ab   '::varchar(9)::char(3)", "ab "),
    ("CAST function", "octet_length('é'::char(4))", 4),
    ("DATE_PART function", "date_part(minute, timestamp '20230104 04:05:06.789')", 5.0),
    ("DATE_PART function", "date_part('w', '20220502 04:05:06.789')", 18.0),
    ("DATE_PART function", "date_part(dayofweek, '2024-01-06'::date)", 6.0),
    ("EXTRACT function", "extract(qtr from '2024-05-01'::date)", 2),
    ("DATE_TRUNC function", "date_trunc('qtr', '2024-05-07 10:00')", DAY(2024, 4, 1)),
    ("DATEDIFF function", "datediff(week, '2009-01-01', '2009-12-31')", 52),
    ("DATEDIFF function", "datediff(year, '2011-12-18', '2011-12-20')", 0),
    ("DATEADD function", "dateadd(month, 18, '2008-02-28')", DAY(2009, 8, 28)),
    ("DATE_CMP_TIMESTAMP function", "date_cmp_timestamp('2008-01-01', '2008-01-02 00:00')", -1),
    ("MONTHS_BETWEEN function", "months_between('2002-08-18', '2002-08-18')", 0.0),
    ("REGEXP_COUNT function", "regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8),
    ("REGEXP_COUNT function", "regexp_count('the fox', 'FOX', 1, 'i')", 1),
    ("REGEXP_INSTR function", "regexp_instr('sed@lacusUtnec.ca', '@[^.]*')", 4),
    ("REGEXP_INSTR function", "regexp_instr('The Home Depot Center', '[cC]ent(er|re)$')", 16),
    ("REGEXP_INSTR function", "regexp_instr('the fox', 'FOX', 1, 1, 1, 'i')", 8),
    ("REGEXP_REPLACE function", "regexp_replace('a1b2', '[0-9]', '#')", "a#b#"),
    ("REGEXP_REPLACE function", "regexp_replace('ab', '(a)(b)', '$2$1')", "ba"),
    ("REGEXP_SUBSTR function", "regexp_substr('abc', '[0-9]')", ""),
    ("REGEXP_COUNT function", "regexp_count('aXbX', 'X')", 2),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{\"a\":{\"b\":\"c\"}}', 'a', 'b')", "c"),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{\"a\":1}', 'x')", ""),
    ("JSON_ARRAY_LENGTH function", "json_array_length('[1, 2, 3]')", 3),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT function", "json_extract_array_element_text('[111, 112]', 1)", "112"),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{2', 'a', true)", None),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{\"a\":{\"b\":1}}', 'a', 'b', false)", "1"),
    ("JSON_ARRAY_LENGTH function", "json_array_length('[11,12', true)", None),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT function", "json_extract_array_element_text('[1, 2]', -1)", ""),
    ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT function", "json_extract_array_element_text('[1', 0, true)", None),
    ("JSON_SERIALIZE function", "json_serialize(json_parse('[101, {\"a\": null}]'))", '[101,{"a":null}]'),
    ("JSON_SIZE function", "json_size(json_parse('[10001, 10002, \"⬤\"]'))", 19),
    ("IS_OBJECT function", "is_object(json_parse('{}'))", True),
    ("IS_ARRAY function", "is_array(json_parse('{}'))", False),
    ("IS_ARRAY function", "is_array(null)", False),
    ("IS_SCALAR function", "is_scalar(json_parse('7'))", True),
    ("IS_VARCHAR function", "is_varchar(json_parse('\"x\"'))", True),
    ("IS_INTEGER function", "is_integer(json_parse('2147483648'))", False),
    ("IS_BIGINT function", "is_bigint(json_parse('2147483648'))", True),
    ("IS_SMALLINT function", "is_smallint(json_parse('1.5'))", False),
    ("IS_FLOAT function", "is_float(json_parse('1.5'))", True),
    ("IS_BOOLEAN function", "is_boolean(json_parse('true'))", True),
    ("ARRAY function", "json_serialize(array(1, 'abc', null))", '[1,"abc",null]'),
    ("OBJECT function", "json_serialize(object('a', 1, 'b', array(2, 3)))", '{"a":1,"b":[2,3]}'),
    ("ARRAY_CONCAT function", "json_serialize(array_concat(array(1), array(2, 'x')))", '[1,2,"x"]'),
    ("ARRAY_FLATTEN function", "json_serialize(array_flatten(array(array(1, 2), array(3))))", "[1,2,3]"),
    ("SPLIT_TO_ARRAY function", "json_serialize(split_to_array('12|3', '|'))", '["12","3"]'),
    ("SUBARRAY function", "json_serialize(subarray(array('a', 'b', 'c', 'd'), 1, 2))", '["b","c"]'),
    ("GET_ARRAY_LENGTH function", "get_array_length(array(1, array(2, 3)))", 2),
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


@pytest.mark.documented("MEDIAN window function")
def test_median_over(sales: Sql) -> None:
    rows = sales("select distinct shop, median(amount) over (partition by shop) from sales order by 1")
    assert rows == [("a", 2), ("b", 5)]
    with pytest.raises(psycopg2.errors.SyntaxError):
        sales("select median(amount) over (partition by shop order by amount) from sales")


@pytest.mark.documented("HLL function")
def test_hll(sales: Sql) -> None:
    assert sales("select hll(item) from sales") == [(3,)]


@pytest.mark.documented("CAST function")
def test_an_assignment_counts_bytes_and_cuts_blanks_only(sql: Sql) -> None:
    sql("create table a (x varchar(4)); create table b (x varchar(9)); insert into b values ('é   '), ('éx')")
    sql("insert into a select x from b")
    assert sql("select octet_length(x) from a order by 1") == [(3,), (4,)]
    sql("insert into b values ('ééx')")
    with pytest.raises(psycopg2.errors.StringDataRightTruncation, match=r"character varying\(4\)"):
        sql("insert into a select x from b")


@pytest.mark.parametrize(("page", "expression", "expected"), [
    ("CONCAT function", "concat('a', 'b', 'c')", "42883"),
    ("STRTOL function", "strtol('9', 8)", "22023"),
    ("STRTOL function", "strtol('1', 37)", "22023"),
    ("STRTOL function", "strtol('9223372036854775808', 10)", "22003"),
    ("TO_VARBYTE function", "to_varbyte('a', 'base64')", "22023"),
    ("JSON_EXTRACT_PATH_TEXT function", "json_extract_path_text('{2', 'a')", "22P02"),
    ("JSON_PARSE function", "json_parse('{2')", "XX000"),
])  # fmt: skip
def test_expressions_that_fail(sql: Sql, page: str, expression: str, expected: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        sql(f"select {expression}")
    assert caught.value.pgcode == expected, page


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


@pytest.mark.documented("FROM clause")
def test_a_subquery_needs_no_alias(sql: Sql) -> None:
    assert sql(
        "select total from (select sum(n) as total from (select 1 as n union all select 2)) where total > 2"
    ) == [(3,)]

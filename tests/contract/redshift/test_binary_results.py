"""Protocol version 2: numbers in binary, with the scale that Redshift computes. Source: Database Developer Guide"""

import datetime
import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import redshift_connector

Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
source = pytest.mark.documented
VERSIONS = pytest.mark.parametrize("version", [0, 1, 2])


def _read(connect: Connect, query: str, *parameters: Any, version: int = 2) -> tuple[list[Any], list[tuple[int, int]]]:
    """The first row, and of each column the precision and scale that the client was told."""
    connection = connect(client_protocol_version=version)
    assert connection._client_protocol_version == version
    cursor = connection.cursor()
    cursor.execute(query, parameters or None)
    row = cursor.fetchone()
    modifiers = [column["type_modifier"] - 4 for column in cursor.ps["row_desc"]]
    return row, [(modifier >> 16, modifier & 0xFFFF) for modifier in modifiers]


@source("Numeric types")
@VERSIONS
def test_numbers_of_a_table(connect: Connect, sql: Sql, version: int) -> None:
    """64 bits hold 19 digits, 128 bits 38; with fewer decimals than its column has no number is sent."""
    sql("create table t (a numeric(5,2), b numeric(19,0), c numeric(38,10), d numeric(38,37), e numeric)")
    sql("insert into t values (-123.45, 9223372036854775807, -1234567890123456789012345678.9, 0.5, 7)")
    with decimal.localcontext(prec=38):  # the driver counts with what Python is set to, which is 28 digits
        row, _ = _read(connect, "select *, null::numeric(3,1) from t", version=version)
    assert [str(value) for value in row] == [
        "-123.45", "9223372036854775807", "-1234567890123456789012345678.9000000000",
        "0.5000000000000000000000000000000000000", "7", "None",
    ]  # fmt: skip


@source("Computations with numeric values")
@pytest.mark.parametrize(
    ("expression", "number", "value"),
    [
        ("1.23", (3, 2), "1.23"),
        ("-0.05", (2, 2), "-0.05"),
        ("12345.5", (6, 1), "12345.5"),
        ("p + 1", (11 + 2, 2), "13.50"),
        ("p - f", (11, 4), "10.2500"),
        ("p * 2.5", (11, 3), "31.250"),
        ("p / 3", (19, 13), "4.1666666666667"),
        ("p / p", (6 + 2 + 9, 9), "1.000000000"),
        ("abs(-p)", (8, 2), "12.50"),
        ("sum(p) over ()", (38, 2), "12.50"),
        ("sum(k::decimal(19, 0)) over ()", (38, 0), "3"),
        ("max(p) over ()", (8, 2), "12.50"),
        ("case when k = 1 then f else p end", (10, 4), "12.5000"),
        ("coalesce(p, 0)", (12, 2), "12.50"),
        ("greatest(p, f)", (10, 4), "12.5000"),
        ("nullif(p, 1)", (8, 2), "12.50"),
        ("(select sum(p) from t)", (38, 2), "12.50"),
        ("%s + p", (38, 17), "14.00000000000000000"),
    ],
)
def test_computed_numbers(connect: Connect, sql: Sql, expression: str, number: tuple[int, int], value: str) -> None:
    sql("create table t (k integer, p numeric(8,2), f numeric(10,4))")
    sql("insert into t values (3, 12.50, 2.25)")
    parameters = (Decimal("1.5"),) if "%s" in expression else ()
    row, numbers = _read(connect, f"select {expression} from t", *parameters)
    assert (numbers, [str(column) for column in row]) == ([number], [value])


@source("Computations with numeric values")
@pytest.mark.parametrize(
    "query",
    [
        "select x from (select p * 0.5 as x from t) s",
        "with s as (select p * 0.5 as x from t) select x from s",
        "select s.x from t left join (select p * 0.5 as x from t) s on true",
        "select x from (select p * 0.5 as x from t) a join (select p * 0.5 as x from t) b using (x)",
        "select p * 0.5 from t group by p * 0.5",
        "select * from (values (1.0, 2), (6.250, 3)) v (x, y)",
        "select p * 0.5 from t union all select 1.250",
        "select p * 0.5 as same, 1.5 as same from t -- and a comment",
    ],
)
def test_computed_numbers_through_queries(connect: Connect, sql: Sql, query: str) -> None:
    sql("create table t (p numeric(8,2))")
    sql("insert into t values (12.50)")
    row, numbers = _read(connect, query)
    assert (numbers[0][1], row[0]) == ((3, Decimal("6.25")) if "1.0, 2" not in query else (3, 1))


def test_a_number_of_unknown_scale_keeps_eighteen_decimals(connect: Connect) -> None:
    """PostgreSQL's functions do not say it, and a transaction that only reads cannot ask how it understands a query."""
    row, numbers = _read(connect, "select to_number('12,454.8-', 'S99G999D9')")
    assert (row, numbers) == ([Decimal("-12454.8")], [(38, 18)])
    cursor = connect().cursor()
    cursor.execute("set transaction read only")
    cursor.execute("select 1.25 * 1.5")
    assert cursor.fetchall() == ([Decimal("1.875")],)


@source("Computations with numeric values")
def test_a_number_that_does_not_fit_is_an_error(connect: Connect) -> None:
    cursor = connect().cursor()
    for _ in range(2):
        with pytest.raises(redshift_connector.Error, match="Numeric data overflow"):
            cursor.execute(
                "select (repeat('9', 38) || n)::numeric(38,0) * 10 from (select '' as n union all select '') s"
            )
    cursor.execute("select 1.5")
    assert cursor.fetchall() == ([Decimal("1.5")],)


@VERSIONS
def test_dates_and_times(connect: Connect, version: int) -> None:
    query = (
        "select date '2020-02-29', time '23:59:59.5', timetz '12:00:00+02', timestamp '2020-02-29 01:02:03.5', "
        "timestamptz '2020-02-29 01:02:03+01', date '1900-01-01', time '24:00:00', timetz '24:00:00-06'"
    )
    row, _ = _read(connect, query, version=version)
    assert row == [
        datetime.date(2020, 2, 29), datetime.time(23, 59, 59, 500_000), datetime.time(10, tzinfo=datetime.UTC),
        datetime.datetime(2020, 2, 29, 1, 2, 3, 500_000),
        datetime.datetime(2020, 2, 29, 0, 2, 3, tzinfo=datetime.UTC), datetime.date(1900, 1, 1),
        datetime.time(0), datetime.time(6, tzinfo=datetime.UTC),
    ]  # fmt: skip


@VERSIONS
def test_a_time_with_a_zone_passes_midnight(connect: Connect, sql: Sql, version: int) -> None:
    """Datetime types: a TIMETZ is kept in UTC. The values are those of redshift_connector's own suite."""
    sql("create table t (a timetz, b timetz, c timetz)")
    sql("insert into t values ('22:44:54.189717 PDT', '24:00:00 CST', '02:00:00+03')")
    row, _ = _read(connect, "select * from t", version=version)
    assert row == [
        datetime.time(5, 44, 54, 189_717, datetime.UTC), datetime.time(6, tzinfo=datetime.UTC),
        datetime.time(23, tzinfo=datetime.UTC),
    ]  # fmt: skip


@VERSIONS
def test_varbyte_of_each_version(connect: Connect, version: int) -> None:
    """Digits, which the driver decodes, or from version 2 on the bytes, which it takes for text."""
    assert _read(connect, "select 'abc'::varbyte", version=version)[0] == ["abc"]


@VERSIONS
@pytest.mark.parametrize("table", ["pg_class", "pg_namespace", "pg_database", "pg_proc", "pg_type", "pg_attribute"])
def test_arrays_of_the_catalog(connect: Connect, sql: Sql, version: int, table: str) -> None:
    sql("create table t (a integer)")
    sql("grant select on t to public")
    row, _ = _read(connect, f"select * from {table}", version=version)
    assert row


@VERSIONS
def test_rights_are_an_array_of_texts(connect: Connect, sql: Sql, version: int) -> None:
    sql("create table t (a integer); create user \"some, body\" password 'Secret-Passw0rd1'")
    sql('grant select on t to public; grant insert on t to "some, body"; create table nobodys (a integer)')
    query = "select relacl, relname from pg_class where relname in ('t', 'nobodys') order by relname desc"
    connection = connect(client_protocol_version=version)
    cursor = connection.cursor()
    try:
        cursor.execute(query)
        (rights, _), (none, _) = cursor.fetchall()
    finally:
        connection.rollback()
        sql('drop table t; drop user "some, body"')
    assert none is None
    assert "=r/awsuser" in rights
    assert [right for right in rights if "some, body" in right]

"""Intervals of months and of microseconds; columns described with their origin. Source: Database Developer Guide"""

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
import redshift_connector
from redshift_connector.interval import IntervalDayToSecond, IntervalYearToMonth

from harness.redshift import Listening

Sql = Callable[..., list[tuple[Any, ...]]]
Connect = Callable[..., Any]
USER, PASSWORD, DATABASE = "awsuser", "Secret-Passw0rd", "dev"
source = pytest.mark.documented
DAY_US = 86_400_000_000


@source("Interval data types and literals")
def test_intervals_of_months(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("create table t (n integer, i intervaly2m, j interval year to month)")
    cursor.execute("insert into t values (1, '37 months', '1-1')")
    cursor.execute("insert into t values (%s, %s, %s)", (2, IntervalYearToMonth(-14), IntervalYearToMonth(2**31 - 1)))
    cursor.execute("select i, j from t order by n")
    assert [column[1] for column in cursor.description] == [1188, 1188]
    assert cursor.fetchall() == (
        [IntervalYearToMonth(37), IntervalYearToMonth(13)],
        [IntervalYearToMonth(-14), IntervalYearToMonth(2**31 - 1)],
    )


@source("Interval data types and literals")
def test_intervals_of_microseconds(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("create table t (n integer, i intervald2s, j interval day to second (2))")
    cursor.execute("insert into t values (1, '10 days 48 hours', '1 0:0:0.126')")
    cursor.execute("insert into t values (%s, %s, %s)", (2, IntervalDayToSecond(-(2**63)), None))
    cursor.execute("select i, j from t order by n")
    assert [column[1] for column in cursor.description] == [1190, 1190]
    assert cursor.fetchall() == (
        [IntervalDayToSecond(12 * DAY_US), IntervalDayToSecond(DAY_US + 130_000)],
        [IntervalDayToSecond(-(2**63)), None],
    )


@source("Interval data types and literals")
def test_a_catalog_shows_an_intervals_units_and_precision(sql: Sql, schema: str) -> None:
    sql("create table t (i intervaly2m, j interval day to second (2), k intervald2s)")
    shown = "select data_type from {} where {} = %s order by ordinal_position"
    kinds = [("interval year to month",), ("interval day to second(2)",), ("interval day to second",)]
    for view, column in (("svv_columns", "table_schema"), ("svv_redshift_columns", "schema_name")):
        assert sql(shown.format(view, column), schema) == kinds
    internal = [("intervaly2m",), ("intervald2s",), ("intervald2s",)]
    assert sql(shown.format("information_schema.columns", "table_schema"), schema) == internal


@source("Interval data types and literals")
def test_interval_casts_and_arithmetic(sql: Sql, connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("select '3 days'::intervald2s, cast('1-2' as interval year to month), '5 months'::intervaly2m")
    assert cursor.fetchall() == ([IntervalDayToSecond(3 * DAY_US), IntervalYearToMonth(14), IntervalYearToMonth(5)],)
    assert str(sql("select timestamp '2024-01-31' + '1 month'::intervaly2m")[0][0]) == "2024-02-29 00:00:00"


@source("Interval data types and literals")
@pytest.mark.parametrize("kind", ["interval", "interval year to day", "intervald2s(7)"])
def test_a_column_of_another_interval_is_refused(sql: Sql, kind: str) -> None:
    with pytest.raises(psycopg2.Error):
        sql(f"create table t (i {kind})")


def _described(gateway: Listening, schema: str, version: int, statement: str) -> tuple[int, list[dict[str, Any]]]:
    with redshift_connector.connect(
        host=gateway.host, port=gateway.port, user=USER, password=PASSWORD, database=DATABASE, ssl=False,
        client_protocol_version=version,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(f"set search_path to {schema}")
        cursor.execute(statement)
        cursor.fetchall()
        return connection._client_protocol_version, cursor.ps["row_desc"]


@pytest.mark.parametrize(("asked", "agreed"), [(0, 0), (1, 1), (2, 2)])
def test_columns_are_described_with_their_origin(
    gateway: Listening, sql: Sql, schema: str, asked: int, agreed: int
) -> None:
    """Protocol versions 1 and 2, which redshift_connector reads into `row_desc`."""
    sql("create table t (k bigint identity(1, 1), v varchar(3), s super not null)")
    version, (key, value, document, computed) = _described(gateway, schema, asked, "select k, v as w, s, 1 from t")
    assert version == agreed
    assert [column["label"] for column in (key, value, document)] == [b"k", b"w", b"s"]
    assert document["type_oid"] == 4000
    if not agreed:
        assert "column_name" not in value
        return
    names = ("schema_name", "table_name", "column_name", "catalog_name")
    assert [value[name] for name in names] == [schema.encode(), b"t", b"v", DATABASE.encode()]
    assert [computed[name] for name in names] == [b"", b"", b"", b""]
    assert [(column["nullable"], column["autoincrement"]) for column in (key, value, document)] == [
        (0, 1), (1, 0), (0, 0),
    ]  # fmt: skip


def test_an_error_in_describe_ends_neither_session_nor_transaction_handling(gateway: Listening, schema: str) -> None:
    """A table that was dropped since the statement was prepared: PostgreSQL's error, and the session goes on."""
    with redshift_connector.connect(
        host=gateway.host, port=gateway.port, user=USER, password=PASSWORD, database=DATABASE, ssl=False
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        for _ in range(2):
            with pytest.raises(redshift_connector.ProgrammingError, match="nowhere"):
                cursor.execute(f"select * from {schema}.nowhere")
            connection.rollback()
        cursor.execute("select 1")
        assert cursor.fetchall() == ([1],)


def test_abstime_is_there_for_casts(connect: Connect, sql: Sql) -> None:
    """As redshift_connector's own tests have it: seconds since 1970, with infinities at the ends of 32 bits."""
    cursor = connect().cursor()
    cursor.execute("select '2022-06-10'::abstime, 'infinity'::abstime, '-infinity'::abstime, '2022-06-10'::timestamptz")
    assert [column[1] for column in cursor.description] == [702, 702, 702, 1184]
    ((day, late, early, _),) = cursor.fetchall()
    assert [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (day, late, early)] == [
        "2022-06-10 00:00:00", "2038-01-19 03:14:04", "1901-12-13 20:45:52",
    ]  # fmt: skip
    with pytest.raises(psycopg2.Error, match="unsupported type"):
        sql("create table t (a abstime)")

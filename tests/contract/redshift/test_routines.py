"""Procedures and functions. Source: Database Developer Guide."""

from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
source = pytest.mark.documented


@source("CREATE FUNCTION")
def test_parameters_and_results_of_a_functions_own_types(sql: Sql, schema: str) -> None:
    sql("create function first_of(super) returns super stable as $$ select $1[0] $$ language sql")
    sql("create function bytes_of(b varbyte(10), n int) returns varbinary immutable as $$ select $1 $$ language sql")
    assert sql("select json_serialize(first_of(json_parse('[7, 8]')))") == [("7",)]
    assert sql("select to_hex(bytes_of('abc'::varbyte, 1))") == [("616263",)]
    shown = sql(f"show functions from schema {schema}")
    assert [row[2:6] for row in shown] == [
        ("bytes_of", 2, "binary varying, integer", "binary varying"), ("first_of", 1, "super", "super"),
    ]  # fmt: skip
    assert [row[6] for row in sql(f"show parameters of function {schema}.first_of(super)")] == ["super", "super"]
    sql(
        "grant execute on function first_of(super) to public; revoke all on function bytes_of(varbyte, int) from public"
    )
    sql("drop function first_of(super); drop function bytes_of(varbyte, int)")
    assert sql(f"show functions from schema {schema}") == []


@source("CREATE PROCEDURE")
def test_parameters_and_variables_of_a_procedures_own_types(sql: Sql, schema: str) -> None:
    sql("create table t (s super, b varbyte)")
    sql("""create or replace procedure keep(document in super, raw varbyte, kind out super) as $$
        declare
            whole super;  -- a super
            bytes varbyte(20) := raw;
            super constant integer := 1;
        begin
            whole := document;
            kind := json_parse('{"n": 1}');
            insert into t values (whole, bytes);
        end;
        $$ language plpgsql""")
    assert sql("call keep(json_parse('{\"a\": 5}'), 'xy'::varbyte, null)") != []
    assert sql("select json_serialize(s), to_hex(b) from t") == [('{"a":5}', "7879")]
    assert [row[6] for row in sql(f"show parameters of procedure {schema}.keep(super, varbyte)")] == [
        "super", "binary varying", "super",
    ]  # fmt: skip
    sql("drop procedure keep(super, varbyte)")


@source("CREATE PROCEDURE")
def test_names_that_are_types_and_types_that_are_postgresqls(sql: Sql) -> None:
    sql("create procedure p(date date, super in int, rs inout refcursor) as $$ begin null; end; $$ language plpgsql")
    sql("drop procedure p(date, int, refcursor)")
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        sql("drop procedure p(super)")


@source("CREATE PROCEDURE")
def test_long_types_are_read_whole(sql: Sql, schema: str) -> None:
    sql("create procedure p(a timestamp with time zone, double precision, interval day to second, "
        "b character varying(5), super) as $$ begin null; end; $$ language plpgsql")  # fmt: skip
    assert [row[4] for row in sql(f"show procedures from schema {schema}")] == [
        "timestamp with time zone, double precision, intervald2s, character varying, super"
    ]
    sql("drop procedure p(timestamptz, float8, interval day to second, varchar, super)")

"""SUPER: paths, unnesting, dynamic typing. Source: Database Developer Guide, "Querying semistructured data"."""

import json
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]
SUPER = 4000  # its number among the types
ORDERS = [
    {"o_orderkey": 1, "o_orderstatus": "P", "o_price": 1.5, "o_lines": [{"l_key": 10}, {"l_key": 20}], "o_paid": True},
    {"o_orderkey": 2, "o_orderstatus": 7, "o_price": "dear", "o_lines": []},
]


@pytest.fixture
def orders(psycopg: Callable[[], Any]) -> Sql:
    """One customer with two orders, of which the second has values of other types; one with none.

    Runs a statement over them: its rows, with the values of SUPER columns read.
    """
    cursor = psycopg().cursor()
    cursor.execute("create table cust (c_name varchar(20), c_custkey int, c_orders super)")
    cursor.execute(f"insert into cust values ('ann', 9, json_parse('{json.dumps(ORDERS)}')), ('bob', 8, null)")

    def run(statement: str) -> list[tuple[Any, ...]]:
        cursor.execute(statement)
        if cursor.description is None:
            return []
        are_super = [column.type_code == SUPER for column in cursor.description]
        return [
            tuple(json.loads(value) if known and value else value for value, known in zip(row, are_super, strict=True))
            for row in cursor.fetchall()
        ]

    return run


@pytest.mark.parametrize(("page", "expression", "expected"), [
    ("Navigation", "select c_orders[0].o_orderkey from cust where c_custkey = 9", [(1,)]),
    ("Navigation", "select c.c_orders[1].o_orderkey from cust as c order by c_custkey", [(None,), (2,)]),
    ("Navigation", "select c_orders[0].o_lines[1].l_key from cust c where c_orders[0].o_orderkey is not null", [(20,)]),
    ("Navigation", "select c_orders[0].o_orderstatus, count(*) from cust where c_orders[0].o_orderkey is not null "
     "group by c_orders[0].o_orderstatus order by c_orders[0].o_orderstatus", [("P", 1)]),
    ("Navigation", "select q.data.a.b from (select json_parse('{\"a\": {\"b\": [1, 2]}}') as data) q", [([1, 2],)]),
    ("Navigation", "select data.a from (select json_parse('{\"a\": 7}') as data) q", [(7,)]),
    ("Unnesting queries", "select c.c_name, o.o_orderkey from cust c, c.c_orders o order by 2",
     [("ann", 1), ("ann", 2)]),
    ("Unnesting queries", "select o.o_orderkey, at_ from cust c, c.c_orders as o at at_ order by 2", [(1, 0), (2, 1)]),
    ("Unnesting queries", "select l.l_key from cust c, c.c_orders o, o.o_lines l order by 1", [(10,), (20,)]),
    ("Unnesting queries", "select index, element from (select json_parse('{\"x\": [1, 2.3]}') as data) as b, "
     "b.data.x as element at index order by 1", [(0, 1), (1, 2.3)]),
    ("Unnesting queries", "select array, element from (select json_parse('[[1, 2], [3]]') as many) as f, "
     "f.many as array, array as element order by element", [([1, 2], 1), ([1, 2], 2), ([3], 3)]),
    ("Object unpivoting", "select attr, json_typeof(val) from cust c, unpivot c.c_orders[1] as val at attr order by 1",
     [("o_lines", "array"), ("o_orderkey", "number"), ("o_orderstatus", "number"), ("o_price", "string")]),
    ("Object unpivoting", "select attr from cust c, c.c_orders as o, unpivot o as val at attr "
     "where attr like '%paid'", [("o_paid",)]),
    ("Dynamic typing", "select o.o_orderkey from cust c, c.c_orders o where o.o_orderstatus = 'P'", [(1,)]),
    ("Dynamic typing", "select o.o_orderkey from cust c, c.c_orders o where o.o_price > 1", [(1,)]),
    ("Dynamic typing", "select o.o_orderkey from cust c, c.c_orders o where 7 = o.o_orderstatus", [(2,)]),
    ("Dynamic typing", "select o.o_orderkey from cust c, c.c_orders o where o.o_paid = true", [(1,)]),
    ("Dynamic typing", "select o.o_orderkey + 1 as n from cust c, c.c_orders o order by 1", [(2,), (3,)]),
    ("Dynamic typing", "select sum(o.o_price), max(o.o_orderkey) from cust c, c.c_orders o", [(1.5, 2)]),
    ("Dynamic typing", "select c.c_name from cust c, cust d, d.c_orders o "
     "where o.o_orderkey = c.c_custkey - 7 and o.o_orderstatus not like 'x%'", [("bob",)]),
    ("Dynamic typing", "select c.c_name from cust c, cust d, d.c_orders o "
     "where o.o_orderkey = c.c_custkey - 7 order by 1",
     [("ann",), ("bob",)]),
    ("Lax semantics", "select c_orders.something from cust where c_custkey = 9", [(None,)]),
    ("Lax semantics", "select c_orders[9].o_orderkey, c_orders[0][1], c_orders[0].no.where from cust "
     "where c_custkey = 9", [(None, None, None)]),
    ("Lax semantics", "select o.o_price::decimal(4, 2) from cust c, c.c_orders o order by 1", [(1.5,), (None,)]),
    ("Lax semantics", "select cast(c_orders[0].o_orderstatus as integer) from cust where c_custkey = 9", [(None,)]),
    ("Lax semantics", "select c_orders[0].o_orderstatus::varchar(9) || '!' from cust where c_custkey = 9", [("P!",)]),
    ("Types of introspection", "select is_integer(c_orders[0].o_orderkey), is_varchar(c_orders[1].o_orderstatus), "
     "is_array(c_orders[0].o_lines) from cust where c_custkey = 9", [(True, False, True)]),
])  # fmt: skip
def test_queries(orders: Sql, page: str, expression: str, expected: list[tuple[Any, ...]]) -> None:
    assert orders(expression) == expected, page


@pytest.mark.documented("Navigation")
@pytest.mark.usefixtures("orders")
def test_a_path_names_its_column(psycopg: Callable[[], Any]) -> None:
    cursor = psycopg().cursor()
    cursor.execute("select c_orders[0].o_orderkey, c_orders[0].o_price::int, c_name from cust")
    assert [column.name for column in cursor.description] == ["o_orderkey", "o_price", "c_name"]


@pytest.mark.documented("Navigation")
def test_qualified_names_are_no_paths(orders: Sql, schema: str) -> None:
    orders(f"create table u as select x.c_name, x.c_custkey from {schema}.cust x")
    orders(f"update {schema}.u set c_name = cust.c_name from cust where cust.c_custkey = u.c_custkey")
    orders(f"insert into {schema}.u (c_name) select {schema}.cust.c_name from {schema}.cust")
    orders(f"delete from {schema}.u using cust where u.c_custkey = cust.c_custkey")
    assert orders(f"select count({schema}.u.c_name), count(u.c_custkey) from {schema}.u") == [(2, 0)]
    with pytest.raises(psycopg2.errors.UndefinedColumn):
        orders("select nowhere.c_name from cust")


def test_the_alias_of_a_function_in_from_begins_no_path(sql: Sql) -> None:
    """As redshift_connector's `get_columns` asks for the columns of late-binding views."""
    query = "select c.schemaname from pg_get_late_binding_view_cols() c(schemaname name, t name, n name, k text, i int)"
    assert sql(f"{query} where c.schemaname = 'nowhere'") == []


@pytest.mark.documented("Ingesting semistructured data")
@pytest.mark.parametrize(("value", "kind", "shown"), [
    ("5::super", "number", "5"), ("1.22::decimal(5, 2)::super", "number", "1.22"), ("true::super", "boolean", "true"),
    ("'abc'::super", "string", '"abc"'), ("cast('[1]' as super)", "string", '"[1]"'),
    ("$$[1]$$::super", "string", '"[1]"'), ("'[1]'::super", "string", '"[1]"'),
    ("'[1]'::varchar(9)::super", "string", '"[1]"'), ("json_parse('[1]')", "array", "[1]"),
])  # fmt: skip
def test_what_is_cast_to_super_is_a_value_and_not_parsed(sql: Sql, value: str, kind: str, shown: str) -> None:
    assert sql(f"select json_typeof({value}), json_serialize({value})") == [(kind, shown)]


@pytest.mark.documented("Ingesting semistructured data")
def test_values_are_assigned_to_super(sql: Sql) -> None:
    sql("create table kept (n int, s super)")
    sql("insert into kept values (1, 5), (2, 1.5), (3, true), (4, null)")
    sql("insert into kept select 5, '{\"a\": 1}'::varchar(20)")
    assert sql("select n, json_typeof(s) from kept order by n") == [
        (1, "number"), (2, "number"), (3, "boolean"), (4, None), (5, "string"),
    ]  # fmt: skip


@pytest.mark.documented("Limitations")
def test_dates_are_not_cast_to_super(sql: Sql) -> None:
    with pytest.raises(psycopg2.Error, match="cannot cast type date"):
        sql("select '2019-09-09'::date::super")
    with pytest.raises(psycopg2.Error, match="cannot cast type date"):
        sql("select date '2019-09-09'::super")

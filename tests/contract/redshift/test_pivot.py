"""PIVOT and UNPIVOT. Source: Database Developer Guide, "PIVOT and UNPIVOT examples"."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def parts(psycopg: Callable[[], Any]) -> Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]:
    """Runs a query over the page's parts and colors: the names of its columns, and its rows."""
    cursor = psycopg().cursor()
    cursor.execute("create table part (partname varchar, manufacturer varchar, quality int, price decimal(12, 2))")
    cursor.execute("insert into part values "
                   "('prop', 'local', 2, 10), ('prop', 'big', null, 9), ('prop', 'small', 1, 12), "
                   "('rudder', 'local', 1, 2.5), ('rudder', 'big', 2, 3.75), ('rudder', 'small', null, 1.9), "
                   "('wing', 'local', null, 7.5), ('wing', 'big', 1, 15.2), ('wing', 'small', null, 11.8)")  # fmt: skip
    cursor.execute("create table colors (quality varchar, red int, green int, blue int)")
    cursor.execute("insert into colors values ('high', 15, 20, 7), ('normal', 35, null, 40), ('low', 10, 23, null)")

    def run(query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        cursor.execute(query)
        return [column.name for column in cursor.description], cursor.fetchall()

    return run


Parts = Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]


@pytest.mark.parametrize(("page", "expression", "columns", "expected"), [
    ("PIVOT examples", "select * from (select partname, price from part) pivot "
     "(max(price) for partname in ('prop', 'rudder', 'wing'))", ["prop", "rudder", "wing"],
     [(Decimal(12), Decimal("3.75"), Decimal("15.2"))]),
    ("PIVOT examples", "select * from part pivot (count(partname) for quality in (1, 2, null)) where price = 12",
     ["manufacturer", "price", "1", "2", "null"], [("small", Decimal(12), 1, 0, 0)]),
    ("PIVOT examples", "select * from (select * from (select price, quality from part) s) pivot "
     "(sum(price) as s for quality in (1 as one)) p", ["one_s"], [(Decimal("29.70"),)]),
    ("UNPIVOT examples", "select n, color from colors unpivot (n for color in (red, blue)) where quality = 'low'",
     ["n", "color"], [(10, "red")]),
    ("PIVOT examples", "select * from (select quality, manufacturer from part) pivot "
     "(count(*) for quality in (1, 2, null)) order by manufacturer", ["manufacturer", "1", "2", "null"],
     [("big", 1, 1, 1), ("local", 1, 1, 1), ("small", 1, 0, 2)]),
    ("PIVOT examples", "select * from (select quality, manufacturer from part) pivot "
     "(count(*) as count for quality in (1 as high, 2 as low, null as na)) p where p.low_count = 0",
     ["manufacturer", "high_count", "low_count", "na_count"], [("small", 1, 0, 2)]),
    ("UNPIVOT examples", "select * from (select red, green, blue from colors) unpivot "
     "(cnt for color in (red, green, blue)) order by 1, 2", ["color", "cnt"],
     [("blue", 7), ("blue", 40), ("green", 20), ("green", 23), ("red", 10), ("red", 15), ("red", 35)]),
    ("UNPIVOT examples", "select * from (select red, green from colors where quality = 'normal') unpivot include nulls "
     "(cnt for color in (red as r, green as g)) order by 1", ["color", "cnt"], [("g", None), ("r", 35)]),
    ("UNPIVOT examples", "select * from (select quality, red, blue from colors) unpivot (cnt for color in (red, blue)) "
     "where quality <> 'low' order by 1, 2", ["quality", "color", "cnt"],
     [("high", "blue", 7), ("high", "red", 15), ("normal", "blue", 40), ("normal", "red", 35)]),
])  # fmt: skip
def test_rotations(
    parts: Parts, page: str, expression: str, columns: list[str], expected: list[tuple[Any, ...]]
) -> None:
    assert parts(expression) == (columns, expected), page


@pytest.mark.documented("PIVOT examples")
@pytest.mark.parametrize("query", [
    "select * from nowhere pivot (count(*) for quality in (1))",
    "select * from part p pivot (count(*) for quality in (1))",  # the stand-in's limit
    "select * from (select quality from part) pivot (stddev(quality) for quality in (1))",
    "select * from (select quality from part) pivot (count(*) quality in (1))",
    "select * from (select quality from part) pivot (count(*) for quality (1))",
    "select * from (select red from colors) unpivot (count(*) for color in (red))",
])  # fmt: skip
def test_what_is_refused(parts: Parts, query: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        parts(query)
    assert caught.value.pgcode in ("42601", "0A000")


@pytest.mark.documented("PIVOT examples")
def test_a_prepared_statement_pivots_a_table(connect: Callable[..., Any]) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("create table part (quality int, price decimal(12, 2))")
    cursor.execute("insert into part values (1, 2.5), (1, 7), (2, 8)")
    for limit, expected in ((9, ()), (10, ([Decimal("9.50"), Decimal(8)],))):
        cursor.execute('select * from part pivot (sum(price) for quality in (1, 2)) where "1" < %s', (limit,))
        assert cursor.fetchall() == expected
    with pytest.raises(Exception, match="not supported"):
        cursor.execute("select * from nowhere pivot (sum(price) for quality in (1, 2))")
    connection.rollback()
    cursor.execute("select 1")
    assert cursor.fetchone() == [1]

"""The merge SQL of the default pipeline: the newest version of each key, nothing lost, nothing doubled."""

import datetime as dt
import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from generators.dataset import parse_type
from harness import sql
from harness.pipeline import Pipeline
from harness.stack.endpoints import Redshift

TYPES = ("orders", "clicks", "payments", "inventory")
NOON = dt.datetime(2025, 11, 23, 12)
VALUES: dict[str, Any] = {
    "integer": 7,
    "float": 0.1,
    "decimal": Decimal("12.34"),
    "text": "é",
    "boolean": True,
    "date": dt.date(2025, 11, 23),
    "timestamp": dt.datetime(2025, 11, 23, 10, 11, 12, 123456),
}
Row = dict[str, Any]


class Tables:
    """One type's stage and final table, through a connection."""

    def __init__(self, connection: Any, pipeline: Pipeline, type_name: str) -> None:
        self.connection, self.type_name = connection, type_name
        self.settings = pipeline.types[type_name]
        self.script = sql.statements(pipeline.merge_sql(type_name))
        assert self.settings.version is not None
        self.version = self.settings.version

    def row(self, key: int, minute: int = 0, **other: Any) -> Row:
        """A record: its key, its version as a minute, and the rest filled in; `marker` is a number to tell it by."""
        row: Row = {}
        for name, column in self.settings.columns.items():
            parsed = parse_type(column.type)
            value = "x" if parsed.fixed else VALUES[parsed.kind]
            row[name] = value
        for name in self.settings.key:
            row[name] = str(key) if parse_type(self.settings.columns[name].type).kind == "text" else key
        row[self.version] = NOON + dt.timedelta(minutes=minute)
        return row | other

    @property
    def marker(self) -> str:
        """A column that is neither key nor version and holds an integer."""
        return {"orders": "customer_id", "clicks": "dwell_ms", "payments": "order_id", "inventory": "on_hand"}[
            self.type_name
        ]

    def stage(self, *rows: Row, file: str = "a", loaded_s: int = 0, connection: Any = None) -> None:
        """One load of a file, committed."""
        columns = [*self.settings.columns, "source_file", "source_row", "loaded_at"]
        connection = connection or self.connection
        with connection.cursor() as cursor:
            for number, row in enumerate(rows, start=1):
                lineage = {
                    "source_file": file,
                    "source_row": number,
                    "loaded_at": NOON + dt.timedelta(seconds=loaded_s),
                }
                cursor.execute(
                    f"INSERT INTO {self.settings.stage_table} ({', '.join(columns)}) "
                    f"VALUES ({', '.join(['%s'] * len(columns))})",
                    [(row | lineage)[name] for name in columns],
                )
        connection.commit()

    def merge(self) -> None:
        with self.connection.cursor() as cursor:
            for statement in self.script:
                cursor.execute(statement)
        self.connection.commit()

    def select(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(columns)} FROM {table} ORDER BY {', '.join(self.settings.key)}, loaded_at"
            )
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        self.connection.commit()
        return rows

    def final(self, *columns: str) -> list[tuple[Any, ...]]:
        return self.select(self.settings.final_table, *columns)

    def staged(self, *columns: str) -> list[tuple[Any, ...]]:
        return self.select(self.settings.stage_table, *(columns or ("source_file",)))


@pytest.fixture(params=TYPES)
def tables(request: pytest.FixtureRequest, connection: Any, default_pipeline: Pipeline) -> Tables:
    return Tables(connection, default_pipeline, request.param)


@pytest.fixture
def orders(connection: Any, default_pipeline: Pipeline) -> Tables:
    return Tables(connection, default_pipeline, "orders")


@pytest.fixture
def other_connection(redshift: Redshift) -> Iterator[Any]:
    connection = sql.connect(redshift, "nrt-test-other")
    yield connection
    connection.close()


def test_every_column_arrives_and_the_stage_is_empty(tables: Tables) -> None:
    row = tables.row(1)
    empty: Row = dict.fromkeys(row) | {name: row[name] for name in tables.settings.key}
    nulls = tables.row(2) | {name: None for name in empty if empty[name] is None and name != tables.version}
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    tables.stage(row, nulls, file="łódź/a", loaded_s=5)
    tables.merge()
    loaded_at = NOON + dt.timedelta(seconds=5)
    columns = (*row, "source_file", "source_row", "loaded_at")
    padded = [
        {
            name: value.ljust(int(column.type[5:-1]))
            if (column := tables.settings.columns[name]).type.startswith("char") and value
            else value
            for name, value in each.items()
        }
        for each in (row, nulls)
    ]
    assert tables.final(*columns) == [
        (*padded[0].values(), "łódź/a", 1, loaded_at),
        (*padded[1].values(), "łódź/a", 2, loaded_at),
    ]
    assert tables.staged() == []
    for (merged_at,) in tables.final("merged_at"):
        assert before <= merged_at <= dt.datetime.now(dt.UTC).replace(tzinfo=None)


def test_a_file_loaded_twice_is_merged_once(tables: Tables) -> None:
    rows = [tables.row(key) for key in range(5)]
    tables.stage(*rows, file="a", loaded_s=1)
    tables.stage(*rows, file="a", loaded_s=2)
    tables.merge()
    first = tables.final("source_row", "loaded_at", "merged_at")
    assert [(row, loaded_at) for row, loaded_at, _ in first] == [
        (number, NOON + dt.timedelta(seconds=1)) for number in range(1, 6)
    ]
    tables.stage(*rows, file="a", loaded_s=3)
    tables.merge()
    assert tables.final("source_row", "loaded_at", "merged_at") == first
    assert tables.staged() == []


def test_the_newest_version_wins_wherever_it_is(tables: Tables) -> None:
    def marked(key: int, minute: int, mark: int) -> Row:
        return tables.row(key, minute, **{tables.marker: mark})

    tables.stage(marked(1, 1, 11), marked(2, 5, 25), marked(3, 3, 33), marked(3, 4, 34), marked(3, 2, 32))
    tables.merge()
    assert tables.final(tables.marker) == [(11,), (25,), (34,)]
    tables.stage(marked(1, 2, 12), marked(1, 3, 13), marked(2, 4, 24), marked(4, 1, 41), file="b", loaded_s=9)
    tables.merge()
    assert tables.final(tables.marker, "source_file") == [(13, "b"), (25, "a"), (34, "a"), (41, "b")]
    assert tables.staged() == []


@pytest.mark.parametrize("together", [True, False])
def test_the_order_of_arrival_does_not_decide_a_tie(orders: Tables, together: bool) -> None:
    loads = {"a": 1, "b": 2, "c": 3}
    for order in itertools.permutations(loads):
        with orders.connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {orders.settings.final_table}")
        for at, file in enumerate(order):
            orders.stage(orders.row(1, 0, **{orders.marker: loads[file]}), file=file, loaded_s=at)
            if not together:
                orders.merge()
        orders.merge()
        assert orders.final(orders.marker, "source_file") == [(3, "c")]


def test_of_one_file_the_last_row_wins_a_tie(orders: Tables) -> None:
    orders.stage(orders.row(1, 0, customer_id=1), orders.row(1, 0, customer_id=2))
    orders.merge()
    assert orders.final("customer_id", "source_row") == [(2, 2)]


def test_what_arrives_during_the_merge_stays_for_the_next(tables: Tables, other_connection: Any) -> None:
    tables.stage(tables.row(1), tables.row(2), file="a")
    arrivals = 0
    with tables.connection.cursor() as cursor:
        removal = next(
            at for at, text in enumerate(tables.script) if text.startswith(f"DELETE FROM {tables.settings.stage_table}")
        )
        for statement in tables.script[:removal]:
            cursor.execute(statement)
            # The key that is being merged and one that is new, in the file that is being merged and in another.
            arrivals += 1
            late = [tables.row(1, 9), tables.row(100 + arrivals)]
            tables.stage(*late, file="a", loaded_s=arrivals, connection=other_connection)
            tables.stage(*late, file=f"b{arrivals}", loaded_s=0, connection=other_connection)
        for statement in tables.script[removal:]:
            cursor.execute(statement)
    tables.connection.commit()
    assert [file for (file,) in tables.final("source_file")] == ["a", "a"]
    assert len(tables.staged()) == 4 * arrivals
    tables.merge()
    assert len(tables.final("source_file")) == 2 + arrivals
    assert tables.staged() == []


def test_a_merge_that_is_rolled_back_changes_nothing(tables: Tables) -> None:
    tables.stage(tables.row(1), tables.row(2))
    for end in range(1, len(tables.script)):
        with tables.connection.cursor() as cursor:
            for statement in tables.script[:end]:
                cursor.execute(statement)
        tables.connection.rollback()
        assert (len(tables.final("source_file")), len(tables.staged())) == (0, 2)
    tables.merge()
    assert (len(tables.final("source_file")), len(tables.staged())) == (2, 0)


def test_one_session_merges_all_types_again_and_again(connection: Any, default_pipeline: Pipeline) -> None:
    for round_number in range(2):
        for type_name in TYPES:
            tables = Tables(connection, default_pipeline, type_name)
            tables.stage(tables.row(round_number), file=f"f{round_number}")
            tables.merge()
            assert len(tables.final("source_file")) == round_number + 1


def test_a_merge_of_nothing_changes_nothing(tables: Tables) -> None:
    tables.stage(tables.row(1))
    tables.merge()
    before = tables.final("merged_at")
    tables.merge()
    assert tables.final("merged_at") == before

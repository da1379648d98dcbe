"""Data sets with every type the generators know."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from generators.dataset import FORMATS, Column, Dataset

COLUMNS = (
    Column("id", "bigint"),
    Column("small", "smallint", minimum=-3, maximum=3),
    Column("whole", "integer"),
    Column("single", "real", minimum=0, maximum=1),
    Column("double", "double precision", minimum=-1e10, maximum=1e10),
    Column("price", "numeric(12,2)", minimum=-5, maximum=5000),
    Column("wide", "decimal(38,9)"),
    Column("name", "varchar(64)", faker="name"),
    Column("free", "varchar(12)"),
    Column("code", "char(3)", faker="currency_code"),
    Column("status", "varchar(16)", values=("neu", "größer", "łódź")),
    Column("flag", "boolean"),
    Column("day", "date"),
    Column("seen_at", "timestamp"),
    Column("seen_at_utc", "timestamptz"),
)
AT = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)


@pytest.fixture(params=FORMATS)
def every_type(request: pytest.FixtureRequest) -> Dataset:
    """A data set with a column of every type, in each format."""
    return Dataset("everything", COLUMNS, ("id",), "seen_at", request.param)


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    """Data sets with these key columns besides the others."""

    def make(*columns: Column, key: tuple[str, ...], version: str | None = "seen_at", name: str = "made") -> Dataset:
        return Dataset(name, (*columns, *COLUMNS[1:]), key, version, "csv")

    return make


@pytest.fixture
def at() -> datetime:
    return AT

from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from generators.dataset import Column, Dataset, arrow_schema
from generators.records import MAX_RECORDS_PER_FILE, make_table
from generators.vocabulary import AWKWARD_TEXTS, vocabulary

RECORDS = 3_000
DatasetMaker = Callable[..., Dataset]


def keys(dataset: Dataset, file_index: int, at: datetime, records: int = RECORDS) -> list[tuple[object, ...]]:
    table = make_table(dataset, seed=1, file_index=file_index, records=records, at=at)
    return list(zip(*(table[name].to_pylist() for name in dataset.key), strict=True))


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ((Column("k", "bigint"),), ("k",)),
        ((Column("k", "varchar(40)"),), ("k",)),
        ((Column("k", "char(8)"),), ("k",)),
        ((Column("place", "varchar(9)", values=("a", "b")), Column("k", "bigint")), ("place", "k")),
        ((Column("n", "integer"), Column("k", "bigint")), ("n", "k")),
    ],
)
def test_keys_are_unique_over_files_and_never_null(
    make_dataset: DatasetMaker, at: datetime, columns: tuple[Column, ...], key: tuple[str, ...]
) -> None:
    dataset = make_dataset(*columns, key=key)
    made = [record for file_index in range(3) for record in keys(dataset, file_index, at)]
    assert len(set(made)) == 3 * RECORDS
    assert not any(None in record for record in made)


def test_the_same_seed_gives_the_same_table_and_another_one_another(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=1, file_index=4, records=RECORDS, at=at)
    assert table.equals(make_table(every_type, seed=1, file_index=4, records=RECORDS, at=at))
    for other in ({"seed": 2, "file_index": 4}, {"seed": 1, "file_index": 5}):
        other_table = make_table(every_type, **other, records=RECORDS, at=at)
        assert not table.drop_columns("id").equals(other_table.drop_columns("id"))


def test_tables_have_the_data_sets_schema_and_size(every_type: Dataset, at: datetime) -> None:
    for records in (0, 1, 17):
        table = make_table(every_type, seed=1, file_index=0, records=records, at=at)
        assert table.schema == arrow_schema(every_type)
        assert table.num_rows == records
        table.validate(full=True)


def test_versions_lie_near_the_files_time_with_microseconds(every_type: Dataset, at: datetime) -> None:
    versions = make_table(every_type, seed=1, file_index=0, records=RECORDS, at=at)["seen_at"].to_pylist()
    due = at.replace(tzinfo=None)
    assert all(due - timedelta(minutes=1) <= version <= due for version in versions)
    assert len({version.microsecond for version in versions}) > RECORDS // 2


def test_a_bigint_can_be_the_version(make_dataset: DatasetMaker, at: datetime) -> None:
    dataset = make_dataset(Column("k", "bigint"), Column("v", "bigint"), key=("k",), version="v")
    versions = make_table(dataset, seed=1, file_index=0, records=10, at=at)["v"].to_pylist()
    assert all(0 <= at.timestamp() - version / 1e6 <= 60 for version in versions)


def test_a_version_that_cannot_tell_versions_apart_is_refused(make_dataset: DatasetMaker, at: datetime) -> None:
    dataset = make_dataset(Column("k", "bigint"), key=("k",), version="status")
    with pytest.raises(ValueError, match="version column 'status'"):
        make_table(dataset, seed=1, file_index=0, records=10, at=at)


def test_numbers_keep_within_their_bounds_and_decimals_are_exact(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=1, file_index=0, records=RECORDS, at=at)
    for name, low, high in (("small", -3, 3), ("single", 0, 1), ("price", -5, 5000)):
        extremes = pc.min_max(table[name]).as_py()
        assert low <= extremes["min"] < extremes["max"] <= high
    cents = {price % 1 for price in table["price"].to_pylist() if price is not None}
    assert len(cents) > 50
    assert min(table["price"].drop_null().to_pylist()) < 0


def test_texts_fit_their_bytes_and_are_awkward(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=1, file_index=0, records=20_000, at=at)
    for column in every_type.columns:
        if column.parsed.kind == "text":
            assert pc.max(pc.binary_length(table[column.name])).as_py() <= column.parsed.length_bytes
    names = set(table["name"].to_pylist())
    assert set(AWKWARD_TEXTS) <= names
    for needle in ('"', ",", "\\", "\n", "Ł"):
        assert any(needle in name for name in names if name)
    assert any(name != name.strip() for name in names if name)
    codes = table["code"].drop_null().to_pylist()
    assert all(code.isascii() and len(code) == 3 for code in codes)
    assert set(table["status"].drop_null().to_pylist()) == {"neu", "größer", "łódź"}


def test_some_values_are_null(every_type: Dataset, at: datetime) -> None:
    table = make_table(every_type, seed=1, file_index=0, records=RECORDS, at=at)
    for name in table.column_names:
        assert (table[name].null_count > 0) == (name not in ("id", "seen_at"))


def test_a_text_is_cut_between_characters() -> None:
    words, awkward_count = vocabulary(Column("t", "varchar(3)"), seed=1)
    assert isinstance(words, pa.StringArray)
    assert "Ł" in words.to_pylist()[-awkward_count:]
    words.validate(full=True)


@pytest.mark.parametrize(
    ("column", "file_index", "message"),
    [
        (Column("k", "integer"), 2048, "key column 'k' of type 'integer' is too narrow"),
        (Column("k", "smallint"), 1, "too narrow"),
        (Column("k", "varchar(6)"), 20, "too short"),
        (Column("k", "varchar(16)", faker="city"), 0, "can be made unique"),
        (Column("k", "date"), 0, "can be made unique"),
    ],
)
def test_a_key_that_cannot_be_unique_is_refused(
    make_dataset: DatasetMaker, at: datetime, column: Column, file_index: int, message: str
) -> None:
    dataset = make_dataset(column, key=("k",))
    with pytest.raises(ValueError, match=f"made: .*{message}"):
        make_table(dataset, seed=1, file_index=file_index, records=10, at=at)


def test_more_records_than_a_file_has_keys_for_are_refused(every_type: Dataset, at: datetime) -> None:
    with pytest.raises(ValueError, match="at most"):
        make_table(every_type, seed=1, file_index=0, records=MAX_RECORDS_PER_FILE + 1, at=at)

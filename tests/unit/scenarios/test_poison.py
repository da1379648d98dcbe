"""Each kind of broken file is refused by a handler that checks what it reads, and differs from a good one."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from generators.files import encode
from generators.poison import KINDS, kinds_for, poison
from generators.records import make_table
from handler import files
from handler.check import FileError
from handler.columns import schema_of
from harness import pipeline as pipelines

PIPELINE = pipelines.load(Path(__file__).parents[3] / "pipeline.toml")
CASES = [(name, kind) for name, settings in PIPELINE.types.items() for kind in kinds_for(settings.format)]
# The file is whole and well-formed; that a text is too long for its column only the warehouse says.
FOR_THE_WAREHOUSE = {"huge_value"}


@pytest.mark.parametrize(("type_name", "kind"), CASES)
def test_the_handler_refuses_it(type_name: str, kind: str) -> None:
    dataset = PIPELINE.dataset(type_name)
    table = make_table(dataset, seed=1, file_index=3, records=50, at=datetime(2026, 1, 1, tzinfo=UTC))
    broken = poison(kind, table, dataset)
    assert broken != encode(table, dataset.format)
    assert broken == poison(kind, table, dataset)
    schema = schema_of({column.name: column.type for column in dataset.columns})
    if kind in FOR_THE_WAREHOUSE:
        assert files.decode(broken, dataset.format, schema).num_rows == 50
    else:
        with pytest.raises((FileError, csv.Error)):
            files.decode(broken, dataset.format, schema)


def test_there_is_no_truncated_gzip_of_a_parquet_file() -> None:
    dataset = PIPELINE.dataset("payments")
    table = make_table(dataset, seed=1, file_index=0, records=1, at=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="cut_short"):
        poison("cut_short", table, dataset)
    assert set(KINDS) == {kind for _, kind in CASES}

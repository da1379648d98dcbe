"""Files that are right, though not as one expects them: their records are those of the plain file, for every reader."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from generators.files import decode, encode
from generators.records import make_table
from generators.unusual import KINDS, kinds_for, unusual
from handler import files
from handler.columns import schema_of
from harness import pipeline as pipelines

PIPELINE = pipelines.load(Path(__file__).parents[3] / "pipeline.toml")
CASES = [(name, kind) for name, settings in PIPELINE.types.items() for kind in kinds_for(settings.format)]


@pytest.mark.parametrize(("type_name", "kind"), CASES)
def test_it_holds_the_same_records_in_other_bytes(type_name: str, kind: str) -> None:
    dataset = PIPELINE.dataset(type_name)
    table = make_table(dataset, seed=1, file_index=3, records=50, at=datetime(2026, 1, 1, tzinfo=UTC))
    changed = unusual(kind, table, dataset)
    assert changed != encode(table, dataset.format)
    assert changed == unusual(kind, table, dataset)
    assert decode(changed, dataset) == table
    schema = schema_of({column.name: column.type for column in dataset.columns})
    assert files.decode(changed, dataset.format, schema).cast(table.schema) == table


def test_every_kind_is_tried() -> None:
    assert {kind for _, kind in CASES} == set(KINDS)

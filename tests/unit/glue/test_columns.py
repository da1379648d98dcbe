"""Redshift's types as Spark's, for every type of the default pipeline and the odd ones."""

from pathlib import Path

import pytest

from glue.columns import spark_schema
from harness import pipeline as pipelines

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("redshift", "spark"),
    [
        ("bigint", "bigint"), ("INTEGER", "int"), ("double precision", "double"), ("numeric", "decimal(18,0)"),
        ("numeric( 12 , 2 )", "decimal(12,2)"), ("decimal(38)", "decimal(38,0)"), ("varchar(16)", "string"),
        ("character varying(3)", "string"), ("timestamp", "timestamp_ntz"), ("timestamptz", "timestamp"),
    ],
)  # fmt: skip
def test_types(redshift: str, spark: str) -> None:
    assert spark_schema({"c": redshift}) == f"`c` {spark}"


def test_a_type_that_is_not_known_names_its_column() -> None:
    with pytest.raises(ValueError, match="column 'shape': 'geometry'"):
        spark_schema({"id": "bigint", "shape": "geometry"})


def test_every_column_of_the_default_pipeline_has_a_type() -> None:
    for settings in pipelines.load(ROOT / "glue.toml").types.values():
        spark_schema({name: column.type for name, column in settings.columns.items()})

"""Redshift's type texts as Arrow types."""

import pyarrow as pa
import pytest

from handler.columns import schema_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smallint", pa.int16()),
        ("INT4", pa.int32()),
        ("bigint", pa.int64()),
        ("numeric(12,2)", pa.decimal128(12, 2)),
        ("DECIMAL( 38 , 37 )", pa.decimal128(38, 37)),
        ("numeric", pa.decimal128(18, 0)),
        ("real", pa.float32()),
        ("double  precision", pa.float64()),
        ("boolean", pa.bool_()),
        ("char(3)", pa.string()),
        ("varchar(256)", pa.string()),
        ("varchar(max)", pa.string()),
        ("character varying(10)", pa.string()),
        ("date", pa.date32()),
        ("timestamp", pa.timestamp("us")),
        ("timestamptz", pa.timestamp("us", tz="UTC")),
    ],
)
def test_a_type(text: str, expected: pa.DataType) -> None:
    assert schema_of({"a": text}).field("a").type == expected


@pytest.mark.parametrize(
    "text", ["money", "", "bigint(5)", "varchar(1,2)", "numeric(39,0)", "numeric(4,5)", "numeric(38,38)", "int; drop"]
)
def test_a_type_that_cannot_be_loaded_names_its_column(text: str) -> None:
    with pytest.raises(ValueError, match="column 'a'"):
        schema_of({"a": text})

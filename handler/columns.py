"""Redshift's column types as Arrow types.

In: names and type texts as a DDL statement has them. Out: an Arrow schema. The pairs are those Redshift's COPY accepts
from Parquet: it compares each column's type with the table's and refuses the file when they differ (error 15001), so
`integer` must be 32 bits wide in the file and `numeric(12,2)` must have that precision and scale.
"""

import re
from collections.abc import Mapping

import pyarrow as pa

_TYPE = re.compile(r"^\s*([a-z][a-z0-9 ]*?)\s*(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\))?\s*$", re.IGNORECASE)

_SIMPLE_TYPES: dict[str, pa.DataType] = {
    "smallint": pa.int16(),
    "int2": pa.int16(),
    "integer": pa.int32(),
    "int": pa.int32(),
    "int4": pa.int32(),
    "bigint": pa.int64(),
    "int8": pa.int64(),
    "real": pa.float32(),
    "float4": pa.float32(),
    "double precision": pa.float64(),
    "float8": pa.float64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}
_TEXT_TYPES = ("char", "character", "nchar", "bpchar", "varchar", "character varying", "nvarchar", "text")
_DECIMAL_TYPES = ("numeric", "decimal")

# Redshift's numeric without precision and scale is numeric(18,0), and its widest is numeric(38,37).
_DEFAULT_PRECISION, _MAX_PRECISION, _MAX_SCALE = 18, 38, 37


def schema_of(columns: Mapping[str, object]) -> pa.Schema:
    """The Arrow schema of `columns` (name -> Redshift type text), in their order.

    Raises:
        ValueError: it names the column whose type is not known here.
    """
    return pa.schema([(name, _arrow_type(name, str(text))) for name, text in columns.items()])


def _arrow_type(column: str, text: str) -> pa.DataType:
    match = _TYPE.match(text)
    name = " ".join(match[1].lower().split()) if match else ""
    if match and name in _SIMPLE_TYPES and match[2] is None:
        return _SIMPLE_TYPES[name]
    if match and name in _TEXT_TYPES and match[3] is None:
        return pa.string()
    if match and name in _DECIMAL_TYPES and match[2] != "max":
        precision, scale = int(match[2] or _DEFAULT_PRECISION), int(match[3] or 0)
        if 1 <= precision <= _MAX_PRECISION and scale <= min(precision, _MAX_SCALE):
            return pa.decimal128(precision, scale)
    raise ValueError(f"column {column!r}: {text!r} is not a Redshift type this function can load")

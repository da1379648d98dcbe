"""Redshift's column types as Spark's.

In: names and Redshift type texts. Out: a schema as Spark's DDL text. The Parquet that Spark writes of these types is
what Redshift's COPY accepts for the Redshift ones: `integer` 32 bits wide, decimals of the same precision and scale,
timestamps without a zone.
"""

import re
from collections.abc import Mapping

_PLAIN = {
    "smallint": "smallint", "int2": "smallint", "integer": "int", "int": "int", "int4": "int", "bigint": "bigint",
    "int8": "bigint", "real": "float", "float4": "float", "double precision": "double", "float8": "double",
    "float": "double", "boolean": "boolean", "bool": "boolean", "date": "date", "timestamp": "timestamp_ntz",
    "timestamp without time zone": "timestamp_ntz", "timestamptz": "timestamp",
    "timestamp with time zone": "timestamp",
}  # fmt: skip
_TEXT = ("char", "character", "nchar", "bpchar", "varchar", "character varying", "nvarchar", "text")
_DECIMAL = re.compile(r"(?:numeric|decimal)(?:\((\d+)(?:,(\d+))?\))?")


def spark_schema(columns: Mapping[str, str]) -> str:
    """The columns (name -> Redshift type text) as Spark's DDL, in their order.

    Raises:
        ValueError: it names the column whose type is not known here.
    """
    return ", ".join(f"`{name}` {_spark_type(name, text)}" for name, text in columns.items())


def _spark_type(column: str, text: str) -> str:
    spelled = re.sub(r"\s*([(),])\s*", r"\1", " ".join(text.lower().split()))
    if spelled in _PLAIN:
        return _PLAIN[spelled]
    if match := _DECIMAL.fullmatch(spelled):
        return f"decimal({match[1] or 18},{match[2] or 0})"
    if spelled.partition("(")[0] in _TEXT:
        return "string"
    raise ValueError(f"column {column!r}: {text!r} is not a Redshift type this job can load")

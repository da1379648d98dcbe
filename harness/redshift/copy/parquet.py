"""Parquet and ORC objects to Arrow tables that fit the target, as strictly as Redshift Spectrum reads them.

In: an object's bytes and the target columns. Out: a table with the columns' Arrow types, or a Refusal (15007 for a
schema that does not fit, 15001 for a value too long). Columns go by position. Source: "COPY from
columnar data formats".
"""

import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.orc
import pyarrow.parquet as pq

from harness.redshift.copy import errors
from harness.redshift.copy.columns import Column
from harness.redshift.messages import Refusal

_PHYSICAL = {"int8": 32, "int16": 32, "int32": 32, "uint8": 32, "uint16": 32, "uint32": 64, "int64": 64}
_INTEGER_BITS = {"smallint": 32, "integer": 32, "bigint": 64}


def read_columnar(raw: bytes, file: str, file_format: str, query_id: int) -> pa.Table:
    """The object as it is.

    Raises:
        Refusal: it is no such file, or it is damaged.
    """
    try:
        source = pa.BufferReader(raw)
        if file_format == "ORC":
            return pa.orc.read_table(source)
        # INT96 as nanoseconds, Arrow's default, would wrap around before 1677 and after 2262
        return pq.ParquetFile(source, coerce_int96_timestamp_unit="us").read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        context = f"File '{file}' has an invalid version number: {error}".splitlines()[0]
        raise errors.spectrum(15001, context, query_id) from error


def fit_table(
    table: pa.Table, columns: list[Column], file: str, query_id: int, *, fill: bool = False, serialize: bool = False
) -> pa.Table:
    """The table with the columns' names and Arrow types, matched by position.

    `fill` lets missing trailing columns be NULL (FILLRECORD); `serialize` turns values of any type into SUPER.

    Raises:
        Refusal: count, type or length does not fit.
    """
    missing = len(columns) - table.num_columns
    if missing < 0 or (missing and not fill):
        raise errors.unmatched_columns(len(columns), table.num_columns, file, query_id)
    fitted = []
    for column, field, data in zip(columns, table.schema, table.columns, strict=False):
        fitted.append(_fit_column(column, field, data, file, query_id, serialize=serialize))
    fitted += [pa.nulls(table.num_rows, column.arrow) for column in columns[table.num_columns :]]
    return pa.Table.from_arrays(fitted, names=[column.name for column in columns])


def _fit_column(
    column: Column, field: pa.Field, data: pa.ChunkedArray, file: str, query_id: int, *, serialize: bool
) -> pa.ChunkedArray:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if column.kind == "jsonb" and serialize:
        return _as_json(data)
    if not (pa.types.is_null(kind) or _fits(column, kind)):
        shown = f"optional {_parquet_words(kind)} {field.name}"
        raise errors.incompatible_schema(file, field.name, column.redshift_type, shown, query_id)
    try:
        fitted = data.cast(column.arrow, safe=not pa.types.is_timestamp(kind))
    except pa.ArrowException as error:
        raise errors.spectrum(15001, f"File '{file}', column {field.name}: {error}", query_id) from error
    if column.not_null and fitted.null_count and not column.has_default:
        raise Refusal("23502", f"Cannot insert a NULL value into column {column.name}")
    if column.length_bytes is not None:
        longest = pc.max(pc.binary_length(fitted)).as_py() or 0
        if longest > column.length_bytes:
            raise errors.too_long(column.name, column.length_bytes, longest, file, query_id)
    return fitted


def _fits(column: Column, kind: pa.DataType) -> bool:
    types = pa.types
    checks = {
        "real": types.is_float32, "double precision": types.is_float64, "boolean": types.is_boolean,
        "date": types.is_date32, "time without time zone": types.is_time64,
        "timestamp without time zone": types.is_timestamp, "timestamp with time zone": types.is_timestamp,
        "character varying": _is_text, "character": _is_text, "text": _is_text, "bytea": _is_text,
    }  # fmt: skip
    if column.kind in _INTEGER_BITS:
        return _PHYSICAL.get(str(kind)) == _INTEGER_BITS[column.kind]
    if column.kind == "numeric":
        target = column.arrow
        return bool(types.is_decimal(kind) and kind.scale == target.scale and kind.precision <= target.precision)
    if column.kind == "jsonb":
        return False  # "By specifying SERIALIZETOJSON … you can load any column type … as SUPER"
    return bool(checks[column.kind](kind))


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
        or types.is_string_view(kind)
    )  # fmt: skip


def _parquet_words(kind: pa.DataType) -> str:
    if str(kind) in _PHYSICAL:
        return f"int{_PHYSICAL[str(kind)]}"
    if pa.types.is_decimal(kind):
        return f"fixed_len_byte_array DECIMAL({kind.precision},{kind.scale})"
    if _is_text(kind):
        return "byte_array"
    return {"float": "float", "double": "double", "bool": "boolean", "date32[day]": "int32 DATE"}.get(
        str(kind), f"int64 {str(kind).upper()}" if pa.types.is_timestamp(kind) else str(kind)
    )


def _plain(value: object) -> float | str:
    """What JSON has no type for: decimals are numbers, dates and times text."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _as_json(data: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = [
        None if value is None else json.dumps(value, default=_plain, ensure_ascii=False) for value in data.to_pylist()
    ]
    return pa.chunked_array([pa.array(texts, pa.string())])

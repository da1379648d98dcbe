"""Text fields to typed columns, with Redshift's rules for what is valid.

In: one column's fields as text, None where the field is NULL. Out: an Arrow array of the column's type and the rows
that did not convert, each with Redshift's error code and reason. Source: Database Developer Guide, "Data conversion
parameters" and "Load error reference". A column is converted as a whole; only where that fails, value by value.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

import pyarrow as pa

from harness.redshift.copy import dates
from harness.redshift.copy.columns import Column
from harness.redshift.copy.options import Copy

_TRUE, _FALSE = frozenset(("t", "true", "1", "y", "yes")), frozenset(("f", "false", "0", "n", "no"))
_BOUNDS = {"smallint": (-(2**15), 2**15 - 1), "integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}
_WHOLE = re.compile(r"\s*[+-]?\d+\s*\Z")
_FAST_INTEGER = frozenset(("smallint", "integer", "bigint"))


@dataclass(eq=True, unsafe_hash=True)
class BadValue(Exception):
    """Why a field did not convert: error code and reason."""

    code: int
    reason: str


@dataclass(frozen=True)
class BadField:
    """A field that did not convert: the row's index within the file."""

    row: int
    bad: BadValue


def convert(fields: Sequence[str | None], column: Column, copy: Copy) -> tuple[pa.Array, list[BadField]]:
    """The fields as an array of the column's type; bad ones are NULL in it and listed."""
    prepared = _prepare(fields, column, copy)
    if column.kind in _FAST_INTEGER or column.kind in ("real", "double precision"):
        try:
            return pa.array(prepared, pa.string()).cast(column.arrow), _missing(prepared, column)
        except pa.ArrowInvalid:
            pass  # at least one is bad, or is written in a way only the slow path knows
    return _one_by_one(prepared, column, copy)


def _prepare(fields: Sequence[str | None], column: Column, copy: Copy) -> list[str | None]:
    """NULLs as the options say ("NULL AS", "EMPTYASNULL", "BLANKSASNULL"); empty is NULL for all but text."""
    is_text = column.kind in ("character varying", "character", "jsonb")
    if not is_text or "EMPTYASNULL" in copy.options:
        fields = [field or None for field in fields]
    if not is_text or "BLANKSASNULL" in copy.options:
        fields = [None if field is not None and field.isspace() else field for field in fields]
    if is_text and "TRIMBLANKS" in copy.options:
        fields = [field.rstrip(" ") if field is not None else None for field in fields]
    return list(fields)


def _missing(values: Sequence[str | None], column: Column) -> list[BadField]:
    if not column.not_null or None not in values:
        return []
    bad = BadValue(1213, "Missing data for not-null field")
    return [BadField(row, bad) for row, value in enumerate(values) if value is None]


def _one_by_one(fields: Sequence[str | None], column: Column, copy: Copy) -> tuple[pa.Array, list[BadField]]:
    parse = _parser(column, copy)
    values: list[object] = []
    bad = _missing(fields, column)
    for row, field in enumerate(fields):
        try:
            values.append(None if field is None else parse(field))
        except BadValue as error:
            values.append(None)
            bad.append(BadField(row, error))
    return pa.array(values, column.arrow), bad


def _parser(column: Column, copy: Copy) -> Callable[[str], object]:
    if column.kind in _BOUNDS:
        return lambda field: _integer(field, column)
    if column.kind in ("real", "double precision"):
        return _float
    if column.kind == "numeric":
        rounding = ROUND_HALF_UP if "ROUNDEC" in copy.options else ROUND_DOWN
        return lambda field: _decimal(field, column, rounding)
    if column.kind in ("character varying", "character"):
        return lambda field: _text(field, column, copy)
    if column.kind == "boolean":
        return _boolean
    if column.kind == "bytea":
        return _bytes
    if column.kind == "jsonb":
        return _json
    return _temporal(column, copy)


def _integer(field: str, column: Column) -> int:
    if not _WHOLE.match(field):
        at = next((i for i, character in enumerate(field) if not character.isdigit()), 0)
        raise BadValue(1207, f"Invalid digit, Value '{field[at : at + 1]}', Pos {at}, Type: {_kind_words(column)}")
    value = int(field)
    low, high = _BOUNDS[column.kind]
    if not low <= value <= high:
        raise BadValue(1207, f"Overflow for {_kind_words(column)} (value {field.strip()})")
    return value


def _kind_words(column: Column) -> str:
    return {"smallint": "Short", "integer": "Integer", "bigint": "Long", "numeric": "Decimal"}[column.kind]


def _float(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        raise BadValue(1208, f"Invalid floating point number: {field}") from None


def _decimal(field: str, column: Column, rounding: str) -> Decimal:
    try:
        value = Decimal(field.strip())
    except InvalidOperation:
        at = next((i for i, c in enumerate(field) if not (c.isdigit() or c in "+-.")), 0)
        raise BadValue(1207, f"Invalid digit, Value '{field[at : at + 1]}', Pos {at}, Type: Decimal") from None
    kind = column.arrow
    if not value.is_finite() or value.adjusted() >= kind.precision - kind.scale:
        raise BadValue(1207, f"Numeric data overflow (result precision) for value {field}")
    return value.quantize(Decimal(1).scaleb(-kind.scale), rounding=rounding)


def _text(field: str, column: Column, copy: Copy) -> str:
    limit = column.length_bytes
    if limit is None or len(field) * 4 <= limit:
        return field
    size_bytes = len(field.encode())
    if size_bytes <= limit:
        return field
    if "TRUNCATECOLUMNS" in copy.options:
        return field.encode()[:limit].decode(errors="ignore")
    raise BadValue(1204, "String length exceeds DDL length")


def _boolean(field: str) -> bool:
    word = field.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise BadValue(1210, f"Invalid boolean value: {field}")


def _bytes(field: str) -> bytes:
    try:
        return bytes.fromhex(field)
    except ValueError:
        raise BadValue(1200, "Invalid hex string for VARBYTE") from None


def _json(field: str) -> str:
    try:
        json.loads(field)
    except ValueError:
        raise BadValue(1224, "Invalid JSON for SUPER column") from None
    return field


def _temporal(column: Column, copy: Copy) -> Callable[[str], object]:
    anything = "ACCEPTANYDATE" in copy.options
    if column.kind == "date":
        return _lenient(dates.date_parser(copy.text("DATEFORMAT", "")), 1205, anything=anything)
    if column.kind.startswith("timestamp"):
        zoned = column.kind.endswith("with time zone") and "without" not in column.kind
        return _lenient(dates.timestamp_parser(copy.text("TIMEFORMAT", ""), zoned=zoned), 1206, anything=anything)
    return _lenient(dt.time.fromisoformat, 1206, anything=anything)


def _lenient(parse: Callable[[str], object], code: int, *, anything: bool) -> Callable[[str], object]:
    """The parser's answer; ValueError is a load error, or NULL with ACCEPTANYDATE."""

    def parse_or_tell(field: str) -> object:
        try:
            return parse(field.strip())
        except ValueError as error:
            if anything:
                return None
            raise BadValue(code, str(error)) from None

    return parse_or_tell

"""What a source system sends: a data type's columns, key, version and file format.

In: column names with Redshift type text. Out: frozen values the other generators work from, and the Arrow schema of
their tables. It must not know where the description came from, nor where the files go.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

# pyarrow and faker are imported where they are used: the command line reads descriptions without them.

FORMATS = ("csv.gz", "jsonl.gz", "parquet", "csv")

Kind = Literal["integer", "float", "decimal", "text", "boolean", "date", "timestamp"]


@dataclass(frozen=True)
class ColumnType:
    """A Redshift type, taken apart.

    `bits` is the width of integers and floats; `precision` and `scale` those of a decimal; `length_bytes` the most
    bytes a text may take (Redshift counts bytes, not characters); `fixed` marks char(n), which holds single-byte
    characters only; `utc` marks timestamptz.
    """

    kind: Kind
    bits: int = 0
    precision: int = 0
    scale: int = 0
    length_bytes: int = 0
    fixed: bool = False
    utc: bool = False


# Amazon Redshift Database Developer Guide, "Data types": names and aliases.
_PLAIN_TYPES: dict[str, ColumnType] = {
    **dict.fromkeys(("smallint", "int2"), ColumnType("integer", bits=16)),
    **dict.fromkeys(("integer", "int", "int4"), ColumnType("integer", bits=32)),
    **dict.fromkeys(("bigint", "int8"), ColumnType("integer", bits=64)),
    **dict.fromkeys(("real", "float4"), ColumnType("float", bits=32)),
    **dict.fromkeys(("double precision", "float8", "float"), ColumnType("float", bits=64)),
    **dict.fromkeys(("boolean", "bool"), ColumnType("boolean")),
    "date": ColumnType("date"),
    **dict.fromkeys(("timestamp", "timestamp without time zone"), ColumnType("timestamp")),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), ColumnType("timestamp", utc=True)),
    "text": ColumnType("text", length_bytes=256),
}
_DECIMAL = re.compile(r"(?:numeric|decimal)(?:\((\d+)(?:,(\d+))?\))?")
_TEXT = re.compile(r"(varchar|character varying|nvarchar|char|character|nchar|bpchar)(?:\((\d+|max)\))?")
_FIXED_TEXT = ("char", "character", "nchar", "bpchar")
_MAX_PRECISION, _MAX_SCALE = 38, 37
_MAX_VARCHAR_BYTES, _MAX_CHAR_BYTES = 65535, 4096


@lru_cache(maxsize=256)
def parse_type(text: str) -> ColumnType:
    """Take a Redshift type apart.

    Raises:
        ValueError: Redshift has no such type, or the generators make no values of it.
    """
    spelled = re.sub(r"\s*([(),])\s*", r"\1", " ".join(text.lower().split()))
    if spelled in _PLAIN_TYPES:
        return _PLAIN_TYPES[spelled]
    if match := _DECIMAL.fullmatch(spelled):
        precision, scale = int(match[1] or 18), int(match[2] or 0)
        if not (1 <= precision <= _MAX_PRECISION and scale <= min(precision, _MAX_SCALE)):
            raise ValueError(f"type {text!r}: precision is 1 to {_MAX_PRECISION}, scale at most {_MAX_SCALE} of it")
        return ColumnType("decimal", precision=precision, scale=scale)
    if match := _TEXT.fullmatch(spelled):
        fixed = match[1] in _FIXED_TEXT
        largest = _MAX_CHAR_BYTES if fixed else _MAX_VARCHAR_BYTES
        default = 1 if match[1] in ("char", "character", "nchar") else 256
        length_bytes = largest if match[2] == "max" else int(match[2] or default)
        if not 1 <= length_bytes <= largest:
            raise ValueError(f"type {text!r}: its length is 1 to {largest} bytes")
        return ColumnType("text", length_bytes=length_bytes, fixed=fixed)
    raise ValueError(
        f"type {text!r} is not one the generators know: smallint, integer, bigint, real, double precision, "
        "numeric(p,s), varchar(n), char(n), boolean, date, timestamp, timestamptz"
    )


@lru_cache(maxsize=256)
def _faker_has(provider: str) -> bool:
    from faker import Faker

    return not provider.startswith("_") and callable(getattr(Faker(), provider, None))


@dataclass(frozen=True)
class Column:
    """One column: its name, its Redshift type text, and what its values are drawn from.

    `faker` names a Faker provider (text only), `values` lists the values to draw from, `minimum` and `maximum` bound
    numbers. Without any of them values are drawn from what the type allows.

    Raises:
        ValueError: the type is not supported, or the other settings do not go with it; names column and type.
    """

    name: str
    type: str
    faker: str | None = None
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        try:
            self._check()
        except ValueError as error:
            raise ValueError(f"column {self.name!r}: {error}") from None

    def _check(self) -> None:
        parsed = parse_type(self.type)
        if self.faker is not None and self.values is not None:
            raise ValueError("has both values and a faker provider; give one of them")
        if self.faker is not None and parsed.kind != "text":
            raise ValueError(f"type {self.type!r} is not text, so a faker provider cannot fill it")
        if self.faker is not None and not _faker_has(self.faker):
            raise ValueError(f"type {self.type!r}: Faker has no provider {self.faker!r}")
        if self.values is not None and parsed.kind != "text":
            raise ValueError(f"type {self.type!r} is not text, so it cannot be drawn from values")
        for value in self.values or ():
            if len(value.encode()) > parsed.length_bytes:
                raise ValueError(f"value {value!r} takes {len(value.encode())} bytes, more than {self.type} holds")
            if parsed.fixed and not value.isascii():
                raise ValueError(f"value {value!r} is not ASCII, which {self.type} cannot hold")
        if self.values is not None and not self.values:
            raise ValueError("values is empty")
        has_range = self.minimum is not None or self.maximum is not None
        if has_range and parsed.kind not in ("integer", "float", "decimal"):
            raise ValueError(f"type {self.type!r} is no number, so it has no minimum or maximum")
        low, high = bounds(self)
        if low > high:
            raise ValueError(f"its minimum {low} is above its maximum {high} (type {self.type})")

    @property
    def parsed(self) -> ColumnType:
        """The column's type, taken apart."""
        return parse_type(self.type)


_DEFAULT_SPAN = 1e6


def bounds(column: Column) -> tuple[float, float]:
    """The smallest and largest value a numeric column is drawn from; (0, 0) for other kinds.

    Raises:
        ValueError: a bound given is not within the type.
    """
    parsed = column.parsed
    match parsed.kind:
        case "integer":
            lowest, highest = -(2.0 ** (parsed.bits - 1)), 2.0 ** (parsed.bits - 1) - 1
        case "float":
            highest = 3.4e38 if parsed.bits == 32 else 1.7e308
            lowest = -highest
        case "decimal":
            highest = 10.0 ** (parsed.precision - parsed.scale) - 10.0**-parsed.scale
            lowest = -highest
        case _:
            return 0.0, 0.0
    for bound in (column.minimum, column.maximum):
        if bound is not None and not lowest <= bound <= highest:
            raise ValueError(f"{bound:g} is outside of what {column.type} holds")
    if column.minimum is not None:
        minimum = column.minimum
    else:
        minimum = 0.0 if (column.maximum or 0.0) >= 0 else max(lowest, (column.maximum or 0.0) - _DEFAULT_SPAN)
    maximum = column.maximum if column.maximum is not None else max(minimum, min(highest, _DEFAULT_SPAN))
    return minimum, maximum


@dataclass(frozen=True)
class Dataset:
    """A data type: its columns in order, the key that tells its records apart, the column that tells their versions
    apart (None: records have one version), and the format of its files.

    Raises:
        ValueError: a key or version that is no column, or an unknown format; names the data set.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    version: str | None
    format: str

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if self.format not in FORMATS:
            raise ValueError(f"{self.name}: format {self.format!r} is not one of {', '.join(FORMATS)}")
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.name}: column {doubled[0]!r} is there more than once")
        for name in (*self.key, *([self.version] if self.version else [])):
            if name not in names:
                raise ValueError(f"{self.name}: {name!r} is not one of its columns {', '.join(names)}")


def arrow_schema(dataset: Dataset) -> "pa.Schema":
    """The Arrow schema of the data set's tables: timestamps in microseconds, decimals exact, text as string."""
    import pyarrow as pa

    integers = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
    floats = {32: pa.float32(), 64: pa.float64()}

    def arrow_type(parsed: ColumnType) -> pa.DataType:
        match parsed.kind:
            case "integer":
                return integers[parsed.bits]
            case "float":
                return floats[parsed.bits]
            case "decimal":
                return pa.decimal128(parsed.precision, parsed.scale)
            case "text":
                return pa.string()
            case "boolean":
                return pa.bool_()
            case "date":
                return pa.date32()
            case "timestamp":
                return pa.timestamp("us", tz="UTC" if parsed.utc else None)

    return pa.schema([(column.name, arrow_type(column.parsed)) for column in dataset.columns])

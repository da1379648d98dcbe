"""The target of a COPY: the table's columns, their types and how values of each travel to PostgreSQL.

In: what the backend's catalog says of a table. Out: `Column`s in the order of the data. Knows nothing of files.
"""

from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from harness.redshift.messages import Refusal

COLUMNS_SQL = """
select redshift_internal.shown(attname), atttypid::regtype::text, format_type(atttypid, atttypmod),
       case when atttypid in ('varchar'::regtype, 'bpchar'::regtype) and atttypmod > 0 then atttypmod - 4 end,
       attnotnull, attidentity, atthasdef, attgenerated, pg_relation_size(attrelid) = 0
  from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum"""

_ARROW = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "character varying": pa.string(),
    "character": pa.string(), "text": pa.string(), "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"), "time without time zone": pa.time64("us"),
    "bytea": pa.binary(), "jsonb": pa.string(),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column to load. kind: PostgreSQL's type name; shown: with its length; length_bytes: of VARCHAR and CHAR."""

    name: str
    kind: str
    shown: str
    length_bytes: int | None
    not_null: bool
    identity: str
    has_default: bool

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type whose binary encoding is this column's."""
        return arrow_type(self.kind, self.shown)

    @property
    def redshift_type(self) -> str:
        """The type as Redshift writes it in its messages."""
        short = {"character varying": "varchar", "character": "char", "integer": "int", "double precision": "double",
                 "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
                 "jsonb": "super", "bytea": "varbyte", "numeric": "decimal"}  # fmt: skip
        return short.get(self.kind, self.kind) + (self.shown[self.shown.index("(") :] if "(" in self.shown else "")


@lru_cache(maxsize=256)
def arrow_type(kind: str, shown: str) -> pa.DataType:
    if kind == "numeric":
        precision, scale = shown.partition("(")[2].rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    if kind not in _ARROW:
        raise Refusal("0A000", f"COPY into a column of type {kind} is not supported by this stand-in")
    return _ARROW[kind]


def read_columns(rows: list[list[str | None]]) -> list[Column]:
    return [
        Column(str(name), str(kind), str(shown), int(length) if length else None, not_null == "t", identity or "",
               has_default == "t")
        for name, kind, shown, length, not_null, identity, has_default, generated, _ in rows
        if not generated
    ]  # fmt: skip


def target_columns(all_columns: list[Column], wanted: tuple[str, ...] | None, *, explicit_ids: bool) -> list[Column]:
    """The columns the data fill, in the data's order ("Column mapping options").

    Raises:
        Refusal: the column list names one that is not there, or an IDENTITY column without EXPLICIT_IDS.
    """
    if wanted is None:
        return [column for column in all_columns if explicit_ids or column.identity != "a"]
    by_name = {column.name: column for column in all_columns}
    for name in wanted:
        if name not in by_name:
            raise Refusal("42703", f'column "{name}" of relation does not exist')
        if by_name[name].identity == "a" and not explicit_ids:
            raise Refusal("42601", f'cannot set an identity column to a value: "{name}" needs EXPLICIT_IDS')
    if len(set(wanted)) != len(wanted):
        raise Refusal("42701", "column specified more than once")
    return [by_name[name] for name in wanted]

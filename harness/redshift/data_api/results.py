"""Results of statements as the Data API gives them: typed fields, metadata of columns, pages.

In: a psycopg2 cursor after a statement. Out: a `Result`, and its pages as JSON records or CSV. Sources: Amazon Redshift
Data API Reference, "Field", "ColumnMetadata", "GetStatementResult", "GetStatementResultV2".
"""

import base64
import binascii
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2.extensions
from psycopg2.extensions import new_type, register_type

from harness.redshift.data_api.errors import validation_error
from harness.redshift.result_types import SUPER, VARBYTE

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

PAGE_ROWS = 1_000
RESULT_MAX_BYTES = 500_000_000  # Management Guide, "Troubleshooting issues for Amazon Redshift Data API"
ROW_MAX_BYTES = 64 * 1024
FETCH_ROWS = 2_000

_INTEGERS, _FLOATS = {20: 19, 21: 5, 23: 10, 26: 10}, {700: 8, 701: 17}
_NUMERIC, _TEXT_TYPES = 1700, {25, 1042, 1043, 19, 705}
# name and length as Redshift's own types say them; what is not here is text
_NAMES = {
    16: "bool", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid",
    114: "super", 700: "float4", 701: "float8", 1042: "bpchar", 1043: "varchar", 1082: "date", 1083: "time",
    1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1266: "timetz", 1700: "numeric", SUPER: "super",
    VARBYTE: "varbyte",
}  # fmt: skip
_AS_IT_IS = (114, 1082, 1083, 1114, 1184, 1186, 1266, 1700, SUPER, 1000, 1005, 1007, 1009, 1015, 1016, 1022, 1231)


class ResultTooLarge(Exception):
    """The result, or one of its rows, is larger than the Data API gives back."""


@dataclass(frozen=True)
class Result:
    """What a statement returned: one ColumnMetadata a column, rows of plain values, their size as text."""

    columns: tuple[dict[str, Any], ...]
    rows: list[tuple[Any, ...]]
    size_bytes: int


def prepare(connection: "Connection") -> None:
    """Have dates, decimals, intervals and SUPER arrive as the text the server sent, as the Data API passes them on, and
    VARBYTE as bytes."""
    register_type(new_type((VARBYTE,), "VARBYTE", _from_hex), connection)
    register_type(new_type(_AS_IT_IS, "AS_IT_IS", psycopg2.extensions.UNICODE), connection)


def _from_hex(digits: str | bytes | None, _cursor: object) -> memoryview | None:
    return None if digits is None else memoryview(binascii.unhexlify(digits))


def read_result(cursor: "Cursor", limit_bytes: int = RESULT_MAX_BYTES) -> Result | None:
    """The result of the statement that the cursor ran; None if it has none.

    Raises:
        ResultTooLarge: it is beyond the documented limits.
    """
    if cursor.description is None:
        return None
    rows: list[tuple[Any, ...]] = []
    size_bytes = 0
    while some := cursor.fetchmany(FETCH_ROWS):
        for row in some:
            row_bytes = sum(map(_size, row))
            if row_bytes > ROW_MAX_BYTES:
                raise ResultTooLarge("Packet for query is too large: the limit is 64 KB per row")
            size_bytes += row_bytes
        if size_bytes > limit_bytes:
            raise ResultTooLarge(f"Database response exceeded size limit: the limit is {limit_bytes} bytes")
        rows += some
    return Result(tuple(map(_column, cursor.description)), rows, size_bytes)


def _size(value: Any) -> int:
    if value is None:
        return 0
    return len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, memoryview) else 8


def _column(column: Any) -> dict[str, Any]:
    oid = column.type_code
    precision, scale, length = column.precision, column.scale, 0
    if oid in _INTEGERS or oid in _FLOATS:
        precision, scale = (_INTEGERS | _FLOATS)[oid], _FLOATS.get(oid, 0)
    elif oid in _TEXT_TYPES:
        length = precision = column.internal_size if column.internal_size and column.internal_size > 0 else 0
        scale = 0
    return {
        "name": column.name,
        "label": column.name,
        "typeName": _NAMES.get(oid, "text"),
        "precision": precision if precision and precision < 65535 else 0,
        "scale": scale if scale and scale < 65535 else 0,
        "length": length,
        "nullable": 1,
        "isCaseSensitive": oid in _TEXT_TYPES,
        "isCurrency": False,
        "isSigned": oid in _INTEGERS or oid in _FLOATS or oid == _NUMERIC,
        "schemaName": "",
        "tableName": "",
    }


def field(value: Any) -> dict[str, Any]:
    """One value as a Field, which holds exactly one of its members."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, memoryview):
        return {"blobValue": bytes(value)}
    return {"stringValue": str(value)}


def page_of(result: Result, identifier: str, token: str | None) -> tuple[list[tuple[Any, ...]], str | None]:
    """The rows at a token, and the token behind them if there are more.

    Raises:
        ApiError: the token is none of this result's.
    """
    at = read_token(token, identifier)
    behind = at + PAGE_ROWS
    return result.rows[at:behind], write_token(identifier, behind) if behind < len(result.rows) else None


def write_token(scope: str, at: int) -> str:
    return base64.urlsafe_b64encode(f"{scope}|{at}".encode()).decode()


def read_token(token: str | None, scope: str) -> int:
    """Where a NextToken says to go on; 0 without one.

    Raises:
        ApiError: it was not given out for this.
    """
    if token is None:
        return 0
    try:
        found, _, at = base64.urlsafe_b64decode(token.encode()).decode().rpartition("|")
        if found == scope and at.isdecimal():
            return int(at)
    except ValueError:
        pass
    raise validation_error("NextToken is not valid for this request")


def as_csv(result: Result, rows: list[tuple[Any, ...]], *, header: bool) -> str:
    """Rows as comma-separated values, as GetStatementResultV2 gives them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if header:
        writer.writerow(column["name"] for column in result.columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return bytes(value).hex() if isinstance(value, memoryview) else value

"""SHOW DATABASES, SCHEMAS, TABLES, COLUMNS and GRANTS ON TABLE: the catalog as clients discover it.

In: the tokens of a SHOW. Out: a query of the view that has the answer's columns (`catalog/shows.sql`), or nothing if it
shows a parameter. A name may be a parameter of a prepared statement. Source: Database Developer Guide, "SHOW
DATABASES", "SHOW SCHEMAS", "SHOW TABLES", "SHOW COLUMNS", "SHOW GRANTS".
"""

from dataclasses import dataclass

from harness.redshift.messages import Refusal
from harness.redshift.plan import not_supported, syntax_error
from harness.redshift.tokens import Cursor, Token, code, name_of, quote_string

ROWS_MAX = 10_000
HERE = "current_database()"


@dataclass(frozen=True)
class _Listing:
    """One of the SHOW commands: the words before the name, the columns its parts are, the column LIKE looks at."""

    view: str
    source: tuple[str, ...]
    parts: tuple[str, ...]
    filtered: str
    order: str


_LISTINGS = {
    "DATABASES": _Listing("show_databases", (), (), "database_name", "1"),
    "SCHEMAS": _Listing("show_schemas", ("FROM", "DATABASE"), ("database_name",), "schema_name", "2"),
    "TABLES": _Listing("show_tables", ("FROM", "SCHEMA"), ("database_name", "schema_name"), "table_name", "3"),
    "COLUMNS": _Listing(
        "show_columns", ("FROM", "TABLE"), ("database_name", "schema_name", "table_name"), "column_name", "5"
    ),
    "GRANTS": _Listing(
        "show_grants", ("ON", "TABLE"), ("database_name", "schema_name", "object_name"), "object_name", "5, 7"
    ),
}  # fmt: skip
# what Redshift shows as well and this stand-in does not
_UNSUPPORTED = frozenset((
    "COLUMN", "CONSTRAINTS", "DATASHARES", "EXTERNAL", "FUNCTIONS", "MODEL", "PARAMETERS", "POLICIES",
    "PROCEDURE", "PROCEDURES", "TABLE", "TEMPLATE", "VIEW",
))  # fmt: skip


def show(tokens: list[Token]) -> str | None:
    """The query that answers a SHOW of the catalog; None if it is the SHOW of a parameter.

    Raises:
        Refusal: it is not written as Redshift has it, or it is one that the stand-in does not know.
    """
    cursor = Cursor(code(tokens), 1)
    what = cursor.peek()
    if what in _UNSUPPORTED and len(cursor.tokens) > 2:
        raise not_supported(f"SHOW {what} is not supported by this stand-in")
    listing = _LISTINGS.get(what)
    if listing is None:
        return None
    cursor.at += 1
    if what == "DATABASES" and cursor.take("FROM", "DATA", "CATALOG"):
        raise not_supported("SHOW DATABASES FROM DATA CATALOG is not supported by this stand-in")
    if what == "GRANTS" and (cursor.peek(), cursor.peek(1)) != ("ON", "TABLE"):
        raise not_supported("SHOW GRANTS is supported by this stand-in for tables only: SHOW GRANTS ON TABLE")
    conditions = _place(cursor, listing)
    if what == "GRANTS":
        conditions += [f"identity_name = {_identity(cursor)}"] if cursor.take("FOR") else []
    elif cursor.take("LIKE"):
        conditions.append(f"{listing.filtered} LIKE {_pattern(cursor)}")
    limit = _limit(cursor) if cursor.take("LIMIT") else ROWS_MAX
    if cursor.peek():
        raise syntax_error(cursor.peek())
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM redshift_internal.{listing.view}{where} ORDER BY {listing.order} LIMIT {limit}"


def _place(cursor: Cursor, listing: _Listing) -> list[str]:
    """The conditions that FROM … gives; a name that is left out at the front is that of this database."""
    if not listing.source:
        return []
    if not cursor.take(*listing.source):
        raise syntax_error(cursor.peek() or "end of input")
    values = [_part(cursor)]
    while cursor.take("."):
        values.append(_part(cursor))
    missing = len(listing.parts) - len(values)
    if not 0 <= missing <= 1:
        raise Refusal("42601", f"improper qualified name: {listing.source[1]} takes {'.'.join(listing.parts)}")
    return [f"{part} = {value}" for part, value in zip(listing.parts, [HERE] * missing + values, strict=True)]


def _part(cursor: Cursor) -> str:
    token = cursor.next()
    if token is not None and token.kind == "parameter":
        return f"{token.text}::text"
    if token is None or token.kind not in ("word", "quoted"):
        raise syntax_error(token.text if token else "end of input")
    return quote_string(name_of(token))


def _identity(cursor: Cursor) -> str:
    """Who a grant is to: a user, ROLE with a role's name, or PUBLIC."""
    cursor.take("ROLE")
    return _part(cursor)


def _pattern(cursor: Cursor) -> str:
    token = cursor.next()
    if token is None or token.kind not in ("string", "parameter"):
        raise syntax_error(token.text if token else "end of input")
    return token.text if token.kind == "string" else f"{token.text}::text"


def _limit(cursor: Cursor) -> int:
    token = cursor.next()
    if token is None or not token.text.isdigit():
        raise syntax_error(token.text if token else "end of input")
    if int(token.text) > ROWS_MAX:
        raise Refusal("22023", f"LIMIT must be between 0 and {ROWS_MAX}")
    return int(token.text)

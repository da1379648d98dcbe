"""SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, FUNCTIONS, TABLE, VIEW, ALL and so on: the catalog as clients discover it.

In: the tokens of a SHOW. Out: a plan with a query of the view that has the answer's columns (`catalog/shows.sql`), or
nothing if it shows a parameter. A name may be a parameter of a prepared statement, and a database another than the
session's: `elsewhere` gets that one's rows. Source: Database Developer Guide, "SHOW
DATABASES", "SHOW SCHEMAS", "SHOW TABLES", "SHOW COLUMNS", "SHOW CONSTRAINTS", "SHOW FUNCTIONS", "SHOW PROCEDURES",
"SHOW PARAMETERS", "SHOW GRANTS", "SHOW COLUMN GRANTS", "SHOW TABLE", "SHOW VIEW", "SHOW" (ALL).
"""

from dataclasses import dataclass

from harness.redshift import parameters
from harness.redshift.elsewhere import ROWS
from harness.redshift.messages import Refusal
from harness.redshift.plan import Listed, Plan, not_supported, syntax_error
from harness.redshift.tokens import Cursor, Token, closing, code, is_number, quote_string, split_arguments, whole_name

ROWS_MAX = 10_000


@dataclass(frozen=True)
class _Listing:
    """One of the SHOW commands: the view with its answer, the words before the name, the columns its parts are.

    filtered: the column LIKE looks at, if it has LIKE. granted: FOR names whom a grant is to. columns, condition: of
    the view. typed: the name is followed by the types of its arguments.
    """

    view: str
    source: tuple[str, ...]
    parts: tuple[str, ...]
    filtered: str | None
    order: str
    granted: bool = False
    columns: str = "*"
    condition: str = ""
    typed: bool = False


_SCHEMA, _TABLE = ("database_name", "schema_name"), ("database_name", "schema_name", "table_name")
_FOREIGN, _EXPORTED = ("fk_database_name", "fk_schema_name", "fk_table_name"), (
    "pk_database_name", "pk_schema_name", "pk_table_name",
)  # fmt: skip


def _parameters(kind: str, code: str) -> _Listing:
    columns = (
        f"database_name, schema_name, routine_name AS {kind}_name, parameter_name, ordinal_position, parameter_type, "
        "data_type, character_maximum_length, numeric_precision, numeric_scale, remarks"
    )
    return _Listing(
        "show_parameters", (), ("database_name", "schema_name", "routine_name"), "parameter_name", "5",
        columns=columns, condition=f"prokind = '{code}'", typed=True,
    )  # fmt: skip


_GRANTED = "privilege_type, identity_id, identity_name, identity_type, admin_option, privilege_scope"


def _grants(kind: str, parts: tuple[str, ...], columns: str = "", *, typed: bool = False) -> _Listing:
    columns = columns or f"database_name, schema_name, object_name, object_type, {_GRANTED}, grantor_name"
    return _Listing(
        "show_grants", (), parts, None, "privilege_type, identity_type DESC, identity_id", granted=True,
        columns=columns, condition=f"object_type = '{kind}'", typed=typed,
    )  # fmt: skip


_LISTINGS: dict[tuple[str, ...], _Listing] = {  # the longer of two with the same beginning comes first
    ("DATABASES",): _Listing("show_databases", (), (), "database_name", "1"),
    ("SCHEMAS",): _Listing("show_schemas", ("FROM", "DATABASE"), ("database_name",), "schema_name", "2"),
    ("TABLES",): _Listing("show_tables", ("FROM", "SCHEMA"), _SCHEMA, "table_name", "3"),
    ("COLUMNS",): _Listing("show_columns", ("FROM", "TABLE"), _TABLE, "column_name", "5"),
    ("CONSTRAINTS", "PRIMARY", "KEYS"): _Listing("show_primary_keys", ("FROM", "TABLE"), _TABLE, None, "4, 6"),
    ("CONSTRAINTS", "FOREIGN", "KEYS", "EXPORTED"): _Listing(
        "show_foreign_keys", ("FROM", "TABLE"), _EXPORTED, None, "6, 7, 10, 9"
    ),
    ("CONSTRAINTS", "FOREIGN", "KEYS"): _Listing("show_foreign_keys", ("FROM", "TABLE"), _FOREIGN, None, "2, 3, 10, 9"),
    ("FUNCTIONS",): _Listing("show_functions", ("FROM", "SCHEMA"), _SCHEMA, "function_name", "3, 5"),
    ("PROCEDURES",): _Listing("show_procedures", ("FROM", "SCHEMA"), _SCHEMA, "procedure_name", "3, 5"),
    ("PARAMETERS", "OF", "FUNCTION"): _parameters("function", "f"),
    ("PARAMETERS", "OF", "PROCEDURE"): _parameters("procedure", "p"),
    ("COLUMN", "GRANTS"): _Listing(
        "show_column_grants", ("ON", "TABLE"), _TABLE, "column_name", "4, 6, 9 DESC, 8", granted=True
    ),
    ("GRANTS", "ON", "TABLE"): _grants("TABLE", ("database_name", "schema_name", "object_name")),
    ("GRANTS", "ON", "SCHEMA"): _grants("SCHEMA", ("database_name", "object_name")),
    ("GRANTS", "ON", "DATABASE"): _grants("DATABASE", ("database_name",), f"database_name, {_GRANTED}"),
    ("GRANTS", "ON", "FUNCTION"): _grants("FUNCTION", ("database_name", "schema_name", "object_name"), typed=True),
    ("GRANTS", "FOR"): _Listing(
        "show_grants", (), (), None, "4, 2, 3, 5", granted=True,
        columns="database_name, schema_name, nullif(object_name, CASE WHEN object_type IN ('SCHEMA', 'DATABASE') THEN "
        "object_name END) AS object_name, object_type, privilege_type, identity_id, identity_name, identity_type, "
        "privilege_scope",
    ),
}  # fmt: skip
# what Redshift shows as well and this stand-in does not
_UNSUPPORTED = frozenset((
    "COLUMN", "CONSTRAINTS", "DATASHARES", "EXTERNAL", "GRANTS", "MODEL", "PARAMETERS", "POLICIES", "PROCEDURE",
    "TEMPLATE",
))  # fmt: skip


def show(tokens: list[Token]) -> Plan | None:
    """The plan of a SHOW of the catalog; None if it is the SHOW of a parameter.

    Raises:
        Refusal: it is not written as Redshift has it, or it is one that the stand-in does not know.
    """
    cursor = Cursor(code(tokens), 1)
    what = cursor.peek()
    if what in _DEFINITIONS and len(cursor.tokens) > 2:
        return _definition(cursor)
    if what == "ALL" and len(cursor.tokens) == 2:
        return Plan("SHOW", parameters.all_of_them())
    words, listing = next((found for found in _LISTINGS.items() if cursor.take(*found[0])), ((), None))
    if listing is None:
        if what in _UNSUPPORTED and len(cursor.tokens) > 2:
            raise not_supported(f"SHOW {what} is not supported by this stand-in")
        return None
    if what == "DATABASES" and cursor.take("FROM", "DATA", "CATALOG"):
        raise not_supported("SHOW DATABASES FROM DATA CATALOG is not supported by this stand-in")
    conditions = [listing.condition] if listing.condition else []
    place = _place(cursor, listing)
    if listing.typed:
        conditions.append(f"argument_list = redshift_internal.type_list({_types(cursor)})")
    if words[-1] == "FOR" or (listing.granted and cursor.take("FOR")):
        conditions.append(f"identity_name = {_identity(cursor)}")
    if words[-1] == "FOR":
        place = [_name(cursor) if cursor.take("FROM", "DATABASE") else None]
    if listing.filtered and cursor.take("LIKE"):
        conditions.append(f"{listing.filtered} LIKE {_pattern(cursor)}")
    limit = _limit(cursor) if cursor.take("LIMIT") else ROWS_MAX
    if cursor.peek():
        raise syntax_error(cursor.peek())
    columns = listing.parts or ("database_name",) * len(place)
    conditions += [f"{column} = {_sql(name)}" for column, name in zip(columns, place, strict=True)]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    view = f"redshift_internal.{listing.view}"
    source = f"(SELECT * FROM {view} UNION ALL SELECT * FROM {ROWS.format(view)}) AS listed" if place else view
    sql = f"SELECT {listing.columns} FROM {source}{where} ORDER BY {listing.order} LIMIT {limit}"
    return Plan("SHOW", sql, listed=Listed(listing.view, columns, tuple(place)) if place else None)


_DEFINITIONS = {"TABLE": "show_table", "VIEW": "show_view"}


def _definition(cursor: Cursor) -> Plan:
    """SHOW TABLE and SHOW VIEW: the statement that makes it again."""
    what = cursor.peek()
    cursor.next()
    name = cursor.name()
    if not name or cursor.peek():
        raise syntax_error(cursor.peek() or "end of input")
    shown = f"redshift_internal.{_DEFINITIONS[what]}({quote_string(name)}::regclass)"
    return Plan("SHOW", f'SELECT {shown} AS "Show {what.capitalize()} DDL statement"')


def _types(cursor: Cursor) -> str:
    """The types between parentheses, as they are written or as parameters of a prepared statement."""
    if not cursor.take("("):
        raise syntax_error(cursor.peek() or "end of input")
    end = closing(cursor.tokens, cursor.at - 1)
    inner, cursor.at = cursor.tokens[cursor.at : end], end
    if not cursor.take(")"):
        raise syntax_error("end of input")
    if not inner:
        return "VARIADIC '{}'::text[]"
    return ", ".join(
        f"{part[0].text}::text"
        if part and part[0].kind == "parameter"
        else quote_string(" ".join(t.text for t in part))
        for part in split_arguments(inner)
    )


def _place(cursor: Cursor, listing: _Listing) -> list[str | int | None]:
    """The names that FROM … gives, the database's first: None if it is left out."""
    if not listing.parts:
        return []
    if listing.source and not cursor.take(*listing.source):
        raise syntax_error(cursor.peek() or "end of input")
    values: list[str | int | None] = [_name(cursor)]
    while cursor.take("."):
        values.append(_name(cursor))
    missing = len(listing.parts) - len(values)
    if not 0 <= missing <= 1:
        raise Refusal("42601", f"improper qualified name: it takes {'.'.join(listing.parts)}")
    return [None] * missing + values


def _name(cursor: Cursor) -> str | int:
    """A name, or the number of the parameter that it is."""
    token = cursor.next()
    if token is not None and token.kind == "parameter":
        return int(token.text[1:])
    if token is None or token.kind not in ("word", "quoted"):
        raise syntax_error(token.text if token else "end of input")
    return whole_name(token)


def _sql(name: str | int | None) -> str:
    """What a name is in SQL; that of this database if it is left out."""
    if name is None:
        return "current_database()"
    return f"${name}::text" if isinstance(name, int) else quote_string(name)


def _identity(cursor: Cursor) -> str:
    """Who a grant is to: a user, ROLE with a role's name, or PUBLIC."""
    cursor.take("ROLE")
    return _sql(_name(cursor))


def _pattern(cursor: Cursor) -> str:
    token = cursor.next()
    if token is None or token.kind not in ("string", "parameter"):
        raise syntax_error(token.text if token else "end of input")
    return token.text if token.kind == "string" else f"{token.text}::text"


def _limit(cursor: Cursor) -> int:
    token = cursor.next()
    if token is None or not is_number(token.text):
        raise syntax_error(token.text if token else "end of input")
    if int(token.text) > ROWS_MAX:
        raise Refusal("22023", f"LIMIT must be between 0 and {ROWS_MAX}")
    return int(token.text)

"""Redshift's data types in PostgreSQL's words.

In: the tokens of a type as a column or a cast names it. Out: the type PostgreSQL gets, or a Refusal. Source: Database
Developer Guide, "Data types" and "Unsupported PostgreSQL data types".
"""

from harness.redshift.messages import Refusal
from harness.redshift.plan import not_supported
from harness.redshift.tokens import Cursor, Token

_LENGTH_MAX = {"varchar": 65_535, "char": 4_096}
ABSTIME = "timestamp(0) with time zone"  # told from others by its precision, which no other type here can have
_SYNONYMS = {
    "SMALLINT": "smallint", "INT2": "smallint", "INTEGER": "integer", "INT": "integer", "INT4": "integer",
    "BIGINT": "bigint", "INT8": "bigint", "REAL": "real", "FLOAT4": "real", "FLOAT8": "double precision",
    "FLOAT": "double precision", "BOOLEAN": "boolean", "BOOL": "boolean", "DATE": "date", "SUPER": "jsonb",
    "TIMESTAMPTZ": "timestamp with time zone", "TIMETZ": "time with time zone", "OID": "oid", "NAME": "name",
    "REGCLASS": "regclass", "HLLSKETCH": "bytea",
    "ABSTIME": ABSTIME, "REGPROC": "regproc", "REGTYPE": "regtype", "XID": "xid",
}  # fmt: skip
_VARCHAR = frozenset(("VARCHAR", "NVARCHAR", "TEXT"))
_CHAR = frozenset(("CHAR", "CHARACTER", "NCHAR"))
_BINARY = frozenset(("VARBYTE", "VARBINARY", "BINARY"))
_NUMERIC = frozenset(("NUMERIC", "DECIMAL", "DEC"))
_INTERVALS = {"INTERVALY2M": "interval year to month", "INTERVALD2S": "interval day to second"}
_YEARS, _DAYS = frozenset(("YEAR", "MONTH")), frozenset(("DAY", "HOUR", "MINUTE", "SECOND"))
_CATALOG_ONLY = frozenset(
    ("ABSTIME", "OID", "NAME", "REGCLASS", "REGPROC", "REGTYPE", "XID")
)  # to cast to, not of a column
# "Unsupported PostgreSQL data types" and what PostgreSQL added since
_REFUSED = frozenset((
    "BYTEA", "JSON", "JSONB", "UUID", "XML", "MONEY", "INET", "CIDR", "MACADDR", "BIT", "VARBIT", "POINT", "LINE",
    "LSEG", "BOX", "PATH", "POLYGON", "CIRCLE", "TSVECTOR", "TSQUERY", "HSTORE", "SERIAL", "BIGSERIAL", "SMALLSERIAL",
    "SERIAL2", "SERIAL4", "SERIAL8", "INT4RANGE", "INT8RANGE", "NUMRANGE", "TSRANGE", "DATERANGE",
))  # fmt: skip


def starts_type(token: Token) -> bool:
    return token.upper in _SYNONYMS or token.upper in _VARCHAR | _CHAR | _BINARY | _NUMERIC | _REFUSED | {
        "BPCHAR", "TIMESTAMP", "TIME", "DOUBLE", "GEOMETRY", "GEOGRAPHY", "INTERVAL", *_INTERVALS,
    }  # fmt: skip


def read_type(cursor: Cursor, *, column: bool) -> str:
    """Consume a type; `column` types have Redshift's default lengths, which casts have too.

    Raises:
        Refusal: Redshift has no such type.
    """
    token = cursor.next()
    name = token.upper if token else ""
    if name == "CHARACTER" and cursor.take("VARYING"):
        name = "VARCHAR"
    if column and name in _CATALOG_ONLY:
        raise Refusal("0A000", f'Column has unsupported type "{name.lower()}".')
    postgres = _postgres_type(name, token, cursor)
    if column and postgres == "interval":
        raise Refusal("0A000", 'Column has unsupported type "interval".')
    if cursor.peek() == "[" or cursor.take("ARRAY"):
        raise Refusal(
            "0A000", f'Column has unsupported type "{postgres}[]".' if column else 'syntax error at or near "["'
        )
    return postgres


def _postgres_type(name: str, token: Token | None, cursor: Cursor) -> str:
    if name == "BPCHAR":
        return f"char({_length(cursor, 'char', 256)})"
    if name in _VARCHAR:
        return f"varchar({_length(cursor, 'varchar', 256)})"
    if name in _CHAR:
        return f"char({_length(cursor, 'char', 1)})"
    if name in _BINARY:
        _arguments(cursor)
        return "bytea"
    if name in _NUMERIC:
        return _numeric(_arguments(cursor))
    if name in ("TIMESTAMP", "TIME"):
        return f"{name.lower()} with{'' if _with_zone(cursor) else 'out'} time zone"
    if name == "INTERVAL" or name in _INTERVALS:
        return _interval(name, cursor)
    if name == "DOUBLE" and cursor.take("PRECISION"):
        return "double precision"
    if name == "FLOAT":
        digits = _arguments(cursor)
        return "real" if digits and int(digits[0]) <= 24 else "double precision"
    if name in _SYNONYMS:
        return _SYNONYMS[name]
    if name in ("GEOMETRY", "GEOGRAPHY"):
        raise not_supported(f"{name} is not supported by this stand-in")
    if name in _REFUSED:
        raise Refusal("0A000", f'Column has unsupported type "{name.lower()}".')
    raise Refusal("42704", f'type "{token.text if token else ""}" does not exist')


def _arguments(cursor: Cursor) -> list[str]:
    values: list[str] = []
    if cursor.take("("):
        while not cursor.take(")"):
            token = cursor.next()
            if token is None:
                raise Refusal("42601", "syntax error at end of input")
            if token.text != ",":
                values.append(token.upper or token.text)
    return values


def _length(cursor: Cursor, kind: str, default: int) -> int:
    arguments = _arguments(cursor)
    if not arguments:
        return default
    if arguments[0] == "MAX":
        return _LENGTH_MAX[kind]
    if not arguments[0].isdecimal():
        raise Refusal("42601", f'syntax error at or near "{arguments[0]}"')
    length = int(arguments[0])
    if length < 1:
        raise Refusal("22023", f"length for type {kind} must be at least 1")
    if length > _LENGTH_MAX[kind]:
        raise Refusal("22023", f"length for type {kind} cannot exceed {_LENGTH_MAX[kind]}")
    return length


def _numeric(arguments: list[str]) -> str:
    if wrong := next((argument for argument in arguments if not argument.isdecimal()), None):
        raise Refusal("42601", f'syntax error at or near "{wrong}"')
    precision = int(arguments[0]) if arguments else 18
    scale = int(arguments[1]) if len(arguments) > 1 else 0
    if not 1 <= precision <= 38:
        raise Refusal("22023", f"DECIMAL precision {precision} must be between 1 and 38")
    if not 0 <= scale <= min(precision, 37):
        raise Refusal("22023", f"DECIMAL scale {scale} must be between 0 and precision {precision}")
    return f"numeric({precision},{scale})"


def _interval(name: str, cursor: Cursor) -> str:
    """An interval of months or of microseconds, as Redshift keeps them apart; PostgreSQL's, which mixes them, without
    a qualifier."""
    if name == "INTERVAL":
        first = cursor.peek()
        if first not in _YEARS | _DAYS:
            return "interval"
        units = _YEARS if first in _YEARS else _DAYS
        cursor.next()
        if cursor.take("TO"):
            last = cursor.next()
            if last is None or last.upper not in units:
                raise Refusal("42601", f'syntax error at or near "{last.text if last else ""}"')
        name = "INTERVALY2M" if units is _YEARS else "INTERVALD2S"
    digits = _arguments(cursor) if name == "INTERVALD2S" else []
    if digits and not (digits[0].isdecimal() and int(digits[0]) <= 6):
        raise Refusal("22023", "interval precision must be between 0 and 6")
    return _INTERVALS[name] + (f"({digits[0]})" if digits else "")


def _with_zone(cursor: Cursor) -> bool:
    if cursor.take("WITH", "TIME", "ZONE"):
        return True
    cursor.take("WITHOUT", "TIME", "ZONE")
    return False

"""COPY's grammar: tokens to a `Copy` value.

In: the tokens of a COPY statement. Out: what it asks for, or a Refusal. Source: Database Developer Guide, "COPY" and
"COPY parameter reference". Knows nothing of S3 or PostgreSQL.
"""

from dataclasses import dataclass, field

from harness.redshift.messages import Refusal
from harness.redshift.tokens import Cursor, Token, is_number, value_of, whole_name

COLUMNAR = ("PARQUET", "ORC")
# "COPY from columnar data formats": only these may be given with PARQUET or ORC.
COLUMNAR_OPTIONS = frozenset(
    (
        "FORMAT",
        "IAM_ROLE",
        "CREDENTIALS",
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "MANIFEST",
        "STATUPDATE",
        "FILLRECORD",
        "SERIALIZETOJSON",
        "REGION",
        "ACCEPTINVCHARS",
        "EXPLICIT_IDS",
    )
)
# "Data format parameters": what cannot be given together
_TEXT_ONLY = frozenset(("DELIMITER", "FIXEDWIDTH", "REMOVEQUOTES", "ESCAPE"))
_NOT_WITH = {
    "CSV": _TEXT_ONLY - {"DELIMITER"},
    "JSON": _TEXT_ONLY | {"FILLRECORD", "IGNOREBLANKLINES", "NULL", "READRATIO", "QUOTE"},
    "TEXT": frozenset(("QUOTE",)),
}
_ONE_OF = (
    ("DELIMITER", "FIXEDWIDTH"),
    ("MAXERROR", "IGNOREALLERRORS"),
    ("GZIP", "BZIP2"),
    ("GZIP", "ZSTD"),
    ("BZIP2", "ZSTD"),
    ("IAM_ROLE", "CREDENTIALS"),
    ("IAM_ROLE", "ACCESS_KEY_ID"),
    ("CREDENTIALS", "ACCESS_KEY_ID"),
)
_MAXERROR_MAX = 100_000  # fmt: skip
_STRING_OPTIONS = frozenset((
    "IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DELIMITER", "NULL",
    "DATEFORMAT", "TIMEFORMAT", "QUOTE", "ENCODING", "FIXEDWIDTH", "READRATIO", "SSH",
))  # fmt: skip
_NUMBER_OPTIONS = frozenset(("IGNOREHEADER", "MAXERROR", "COMPROWS", "READRATIO"))
_FLAGS = frozenset((
    "MANIFEST", "GZIP", "BZIP2", "LZOP", "ZSTD", "EMPTYASNULL", "BLANKSASNULL", "ACCEPTANYDATE", "TRUNCATECOLUMNS",
    "TRIMBLANKS", "FILLRECORD", "REMOVEQUOTES", "ROUNDEC", "EXPLICIT_IDS", "NOLOAD", "ESCAPE", "IGNOREBLANKLINES",
    "ENCRYPTED", "IGNOREALLERRORS",
))  # fmt: skip
_OPTIONAL_VALUE = frozenset(("ACCEPTINVCHARS", "SERIALIZETOJSON"))
_ON_OFF = frozenset(("COMPUPDATE", "STATUPDATE"))
_SWITCH = {"ON": "ON", "TRUE": "ON", "OFF": "OFF", "FALSE": "OFF", "PRESET": "PRESET"}


@dataclass(frozen=True)
class Copy:
    """A COPY. table: quoted for SQL; name: whole, without its schema. columns: its column list, whole names.

    options: by name; flags hold True.
    """

    table: str
    name: str
    columns: tuple[str, ...] | None
    source: str
    format: str
    options: dict[str, str | int | bool] = field(default_factory=dict)

    def text(self, name: str, default: str) -> str:
        value = self.options.get(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str) -> int:
        return int(self.options.get(name, 0))

    @property
    def is_columnar(self) -> bool:
        return self.format in COLUMNAR


def _syntax_error(cursor: Cursor) -> Refusal:
    token = cursor.next()
    return Refusal("42601", f'syntax error at or near "{token.text}"' if token else "syntax error at end of input")


def parse_copy(tokens: list[Token]) -> Copy:
    """Read the code tokens of a COPY statement.

    Raises:
        Refusal: it is not one Redshift would take.
    """
    cursor = Cursor(tokens, 1)
    table = cursor.name()
    if not table:
        raise _syntax_error(cursor)
    name = whole_name(tokens[cursor.at - 1])
    columns = _column_list(cursor)
    if not cursor.take("FROM"):
        raise _syntax_error(cursor)
    source = cursor.next()
    if source is None or source.kind != "string" or not value_of(source).startswith("s3://"):
        raise Refusal("0A000", "LOAD source is not supported. (Hint: only S3 or DynamoDB or EMR based load is allowed)")
    options: dict[str, str | int | bool] = {}
    while cursor.peek():
        _option(cursor, options)
    copy = Copy(table, name, columns, value_of(source), str(options.pop("FORMAT", "TEXT")), options)
    _check(copy)
    return copy


def _column_list(cursor: Cursor) -> tuple[str, ...] | None:
    if not cursor.take("("):
        return None
    columns = []
    while not cursor.take(")"):
        token = cursor.next()
        if token is None or token.kind not in ("word", "quoted"):
            raise _syntax_error(cursor)
        columns.append(whole_name(token))
        cursor.take(",")
    return tuple(columns)


def _option(cursor: Cursor, options: dict[str, str | int | bool]) -> None:
    cursor.take("WITH")
    if cursor.take("FORMAT"):
        cursor.take("AS")
    name = cursor.peek()
    if name in (*COLUMNAR, "CSV", "JSON", "AVRO", "SHAPEFILE"):
        _format(cursor, options, name)
        return
    if name not in _STRING_OPTIONS | _NUMBER_OPTIONS | _FLAGS | _OPTIONAL_VALUE | _ON_OFF:
        raise _syntax_error(cursor)
    cursor.next()
    cursor.take("AS")
    cursor.take("=")
    if name in _FLAGS:
        options[name] = True
    elif name in _ON_OFF:
        options[name] = next((_SWITCH[word] for word in _SWITCH if cursor.take(word)), "ON")
    elif name in _NUMBER_OPTIONS:
        token = cursor.next()
        if token is None or not is_number(token.text):
            raise Refusal("42601", f"{name} needs a number")
        options[name] = int(token.text)
    else:
        options[name] = _string(cursor, name)


def _string(cursor: Cursor, name: str) -> str | bool:
    token = cursor.tokens[cursor.at] if cursor.at < len(cursor.tokens) else None
    if token and token.kind == "string":
        cursor.next()
        return value_of(token)
    if name == "IAM_ROLE" and cursor.take("DEFAULT"):
        return "default"
    if name in _OPTIONAL_VALUE:
        return True
    raise _syntax_error(cursor)


def _format(cursor: Cursor, options: dict[str, str | int | bool], name: str) -> None:
    cursor.next()
    options["FORMAT"] = name
    cursor.take("AS")
    following = cursor.tokens[cursor.at] if cursor.at < len(cursor.tokens) else None
    if following and following.kind == "string" and name in ("JSON", "AVRO"):
        options["PATHS"] = value_of(following)
        cursor.next()


def _check(copy: Copy) -> None:
    given = set(copy.options)
    if not given & {"IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID"}:
        raise Refusal("0A000", "COPY from S3 needs authorization: IAM_ROLE, CREDENTIALS or ACCESS_KEY_ID")
    if copy.is_columnar:
        wrong = sorted(given - COLUMNAR_OPTIONS)
        if wrong:
            raise Refusal("0A000", f"{wrong[0]} argument is not supported for {copy.format} based COPY")
    if copy.format in ("AVRO", "SHAPEFILE"):
        raise Refusal("0A000", f"COPY … FORMAT {copy.format} is not supported by this stand-in")
    for name in ("LZOP", "ENCRYPTED", "READRATIO", "SSH"):
        if name in given:
            raise Refusal("0A000", f"COPY … {name} is not supported by this stand-in")
    if wrong := sorted(given & _NOT_WITH.get(copy.format, frozenset())):
        raise Refusal("42601", f"{copy.format} is not compatible with {wrong[0]}")
    for first, second in _ONE_OF:
        if {first, second} <= given:
            raise Refusal("42601", f"{first} and {second} cannot be given together")
    if "ACCESS_KEY_ID" in given and "SECRET_ACCESS_KEY" not in given:
        raise Refusal("42601", "ACCESS_KEY_ID needs SECRET_ACCESS_KEY")
    if copy.number("MAXERROR") > _MAXERROR_MAX:
        raise Refusal("22023", f"MAXERROR must be at most {_MAXERROR_MAX}")
    replacement = copy.text("ACCEPTINVCHARS", "?")
    if len(replacement) != 1 or not 0 < ord(replacement) < 128:
        raise Refusal("22023", "ACCEPTINVCHARS needs one ASCII character")
    if copy.format == "CSV" and len(copy.text("QUOTE", '"')) != 1:
        raise Refusal("22023", "QUOTE needs one character")

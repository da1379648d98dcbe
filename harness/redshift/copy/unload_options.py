"""UNLOAD's grammar: tokens to an `Unload` value. Source: Database Developer Guide, "UNLOAD"."""

import re
from dataclasses import dataclass, field

from harness.redshift.messages import Refusal
from harness.redshift.tokens import Cursor, Token, code, tokenize, value_of, whole_name

_FLAGS = frozenset((
    "HEADER", "GZIP", "BZIP2", "ZSTD", "ENCRYPTED", "ESCAPE", "ADDQUOTES", "ALLOWOVERWRITE", "CLEANPATH", "AUTO",
))  # fmt: skip
_STRINGS = frozenset((
    "IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DELIMITER", "NULL",
    "FIXEDWIDTH", "KMS_KEY_ID", "MASTER_SYMMETRIC_KEY", "EXTENSION",
))  # fmt: skip
_NOT_FOR_PARQUET = frozenset((
    "DELIMITER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL", "HEADER", "GZIP", "BZIP2", "ZSTD",
))  # fmt: skip
# "UNLOAD", FORMAT: what cannot be given with a format
_NOT_WITH = {
    "PARQUET": _NOT_FOR_PARQUET,
    "CSV": frozenset(("FIXEDWIDTH", "ADDQUOTES")),
    "JSON": frozenset(("DELIMITER", "HEADER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL")),
}
_ONE_OF = (
    ("FIXEDWIDTH", "DELIMITER"),
    ("FIXEDWIDTH", "HEADER"),
    ("CLEANPATH", "ALLOWOVERWRITE"),
    ("GZIP", "BZIP2"),
    ("GZIP", "ZSTD"),
    ("BZIP2", "ZSTD"),
    ("IAM_ROLE", "CREDENTIALS"),
    ("IAM_ROLE", "ACCESS_KEY_ID"),
    ("CREDENTIALS", "ACCESS_KEY_ID"),
)
_UNITS = {"MB": 1 << 20, "GB": 1 << 30}
MAX_FILE_SIZE_DEFAULT_BYTES = int(6.2 * (1 << 30))


@dataclass(frozen=True)
class Unload:
    """An UNLOAD. format is TEXT, CSV, PARQUET or JSON; partition: columns of PARTITION BY."""

    query: str
    target: str
    format: str = "TEXT"
    options: dict[str, str | bool] = field(default_factory=dict)
    partition: tuple[str, ...] = ()
    include_partition: bool = False
    parallel: bool = True
    manifest: str = ""
    max_file_size_bytes: int = MAX_FILE_SIZE_DEFAULT_BYTES

    def text(self, name: str, default: str) -> str:
        value = self.options.get(name, default)
        return value if isinstance(value, str) else default


@dataclass
class _Draft:
    format: str = "TEXT"
    options: dict[str, str | bool] = field(default_factory=dict)
    partition: tuple[str, ...] = ()
    include_partition: bool = False
    parallel: bool = True
    manifest: str = ""
    max_file_size_bytes: int = MAX_FILE_SIZE_DEFAULT_BYTES


def _syntax_error(cursor: Cursor) -> Refusal:
    token = cursor.next()
    return Refusal("42601", f'syntax error at or near "{token.text}"' if token else "syntax error at end of input")


def parse_unload(tokens: list[Token]) -> Unload:
    """Read the code tokens of an UNLOAD statement.

    Raises:
        Refusal: it is not one Redshift would take.
    """
    cursor = Cursor(tokens, 1)
    if not cursor.take("("):
        raise _syntax_error(cursor)
    query = _string(cursor)
    if not cursor.take(")", "TO"):
        raise _syntax_error(cursor)
    target = _string(cursor)
    if not target.startswith("s3://"):
        raise Refusal("0A000", "UNLOAD destination is not supported. (Hint: only S3 based unload is allowed)")
    draft = _Draft()
    while cursor.peek():
        _option(cursor, draft)
    _check(query, draft)
    if draft.partition and not target.endswith("/"):
        target += "/"  # "automatically added to the end of the name-prefix value if needed"
    return Unload(query.strip().rstrip(";"), target, **draft.__dict__)


def _string(cursor: Cursor) -> str:
    token = cursor.tokens[cursor.at] if cursor.at < len(cursor.tokens) else None
    if token is None or token.kind not in ("string", "dollar"):
        raise _syntax_error(cursor)
    cursor.next()
    return (
        value_of(token) if token.kind == "string" else token.text.split("$", 2)[2].rpartition("$")[0].rpartition("$")[0]
    )


def _option(cursor: Cursor, draft: _Draft) -> None:
    cursor.take("WITH")
    if cursor.take("FORMAT"):
        cursor.take("AS")
    name = cursor.peek()
    if name in ("CSV", "PARQUET", "JSON"):
        cursor.next()
        draft.format = name
    elif cursor.take("PARTITION", "BY"):
        _partition(cursor, draft)
    elif cursor.take("MANIFEST"):
        draft.manifest = "VERBOSE" if cursor.take("VERBOSE") else "PLAIN"
    elif cursor.take("PARALLEL"):
        draft.parallel = not (cursor.take("OFF") or cursor.take("FALSE"))
        cursor.take("ON")
        cursor.take("TRUE")
    elif cursor.take("MAXFILESIZE") or cursor.take("ROWGROUPSIZE"):
        cursor.take("AS")
        size = _size(cursor)
        if name == "MAXFILESIZE":
            draft.max_file_size_bytes = size
    elif name in _FLAGS:
        cursor.next()
        draft.options[name] = True
    elif name in _STRINGS:
        cursor.next()
        cursor.take("AS")
        draft.options[name] = "default" if name == "IAM_ROLE" and cursor.take("DEFAULT") else _string(cursor)
    else:
        raise _syntax_error(cursor)


def _partition(cursor: Cursor, draft: _Draft) -> None:
    if not cursor.take("("):
        raise _syntax_error(cursor)
    columns = []
    while not cursor.take(")"):
        token = cursor.next()
        if token is None or token.kind == "string":
            raise _syntax_error(cursor)
        if token.text != ",":
            columns.append(whole_name(token))
    draft.partition = tuple(columns)
    draft.include_partition = cursor.take("INCLUDE")


def _size(cursor: Cursor) -> int:
    number = cursor.next()
    if number is None or number.kind != "number":
        raise Refusal("42601", "a size needs a number")
    unit = cursor.peek()
    cursor.at += unit in _UNITS
    return int(float(number.text) * _UNITS.get(unit, _UNITS["MB"]))


def _check(query: str, draft: _Draft) -> None:
    given = set(draft.options)
    if not given & {"IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID"}:
        raise Refusal("0A000", "UNLOAD to S3 needs authorization: IAM_ROLE, CREDENTIALS or ACCESS_KEY_ID")
    if wrong := sorted(given & _NOT_WITH.get(draft.format, frozenset())):
        raise Refusal("0A000", f"UNLOAD option {wrong[0]} is not compatible with {draft.format}")
    for first, second in _ONE_OF:
        if {first, second} <= given:
            raise Refusal("42601", f"{first} and {second} cannot be specified together")
    if "MASTER_SYMMETRIC_KEY" in given:
        raise Refusal("0A000", "UNLOAD … MASTER_SYMMETRIC_KEY is not supported by this stand-in")
    if "KMS_KEY_ID" in given and "ENCRYPTED" not in given:
        raise Refusal("42601", "KMS_KEY_ID needs ENCRYPTED")
    if not 5 << 20 <= draft.max_file_size_bytes <= MAX_FILE_SIZE_DEFAULT_BYTES:
        raise Refusal("22023", "MAXFILESIZE must be between 5 MB and 6.2 GB")
    if _has_outer_limit(query):
        raise Refusal("0A000", "Limit clause is not supported", hint="put it in a subquery: UNLOAD, Usage notes")


def _has_outer_limit(query: str) -> bool:
    depth = 0
    for token in code(tokenize(query)):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if depth == 0 and re.fullmatch("LIMIT", token.upper):
            return True
    return False

"""Functions and operators of Redshift's dialect that PostgreSQL spells otherwise, rewritten token by token.

In: the tokens of a statement. Out: tokens for PostgreSQL. What can be a function in the backend is one (see
`harness.redshift.catalog`); here is only what needs another spelling. Source: Database Developer Guide, "SQL functions
reference".
"""

from collections.abc import Callable

from harness.redshift.ddl import temporary_names
from harness.redshift.tokens import SPACE, Token, closing, code, split_arguments, string, symbol, word

Arguments = list[list[Token]]
_RENAMED = {"NVL": "coalesce", "GETDATE": "pg_catalog.getdate", "LEN": "char_length", "ISNULL": "coalesce"}


def rewrite(tokens: list[Token]) -> list[Token]:
    """The tokens with every known function in PostgreSQL's spelling."""
    tokens = temporary_names(tokens)
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        opening = _opening(tokens, at) if token.kind == "word" else None
        if opening is not None and (function := _FUNCTIONS.get(token.upper)):
            end = closing(tokens, opening)
            arguments = [rewrite(part) for part in split_arguments(tokens[opening + 1 : end])]
            result += function(arguments)
            at = end + 1
            continue
        if opening is not None and token.upper in _RENAMED:
            token = word(_RENAMED[token.upper])
        elif opening is None and token.upper in _VALUES and not _qualified(tokens, at):
            token = word(_VALUES[token.upper])
        result.append(token)
        at += 1
    return result


_VALUES = {"SYSDATE": "localtimestamp"}


def _opening(tokens: list[Token], at: int) -> int | None:
    """The index of the parenthesis that follows directly, white space aside."""
    index = at + 1
    while index < len(tokens) and tokens[index].kind == "space":
        index += 1
    return index if index < len(tokens) and tokens[index].text == "(" else None


def _qualified(tokens: list[Token], at: int) -> bool:
    return at > 0 and tokens[at - 1].text == "."


def call(name: str, arguments: Arguments) -> list[Token]:
    tokens = [word(name), symbol("(")]
    for index, argument in enumerate(arguments):
        tokens += [symbol(","), SPACE] if index else []
        tokens += argument
    return [*tokens, symbol(")")]


def _date_part(arguments: Arguments) -> Arguments:
    """The first argument, a bare date part, as a string."""
    part = code(arguments[0]) if arguments else []
    if len(part) == 1 and part[0].kind in ("word", "quoted"):
        return [[string(part[0].text.strip('"').lower())], *arguments[1:]]
    return arguments


def _dateadd(arguments: Arguments) -> list[Token]:
    arguments = _date_part(arguments)
    if len(arguments) == 3:
        arguments[2] = _timestamp_literal(arguments[2])
    return call("pg_catalog.dateadd", arguments)


def _datediff(arguments: Arguments) -> list[Token]:
    arguments = _date_part(arguments)
    return call("pg_catalog.datediff", [arguments[0], *map(_timestamp_literal, arguments[1:])])


def _timestamp_literal(argument: list[Token]) -> list[Token]:
    """An untyped literal is a timestamp here."""
    parts = code(argument)
    return [*parts, word("::timestamp")] if len(parts) == 1 and parts[0].kind == "string" else argument


_FUNCTIONS: dict[str, Callable[[Arguments], list[Token]]] = {
    "DATEADD": _dateadd,
    "DATE_ADD": _dateadd,
    "DATEDIFF": _datediff,
    "DATE_DIFF": _datediff,
}

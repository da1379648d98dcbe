"""Functions and operators of Redshift's dialect that PostgreSQL spells otherwise, rewritten token by token.

In: the tokens of a statement. Out: tokens for PostgreSQL. What can be a function in the backend is one (see
`harness.redshift.catalog`); here is only what needs another spelling. Source: Database Developer Guide, "SQL functions
reference".
"""

from collections.abc import Callable

from harness.redshift.ddl import temporary_names
from harness.redshift.selects import rewrite_selects
from harness.redshift.tokens import SPACE, Token, closing, code, split_arguments, string, symbol, word

Arguments = list[list[Token]]
_RENAMED = {
    "NVL": "coalesce", "GETDATE": "pg_catalog.getdate", "LEN": "char_length", "TEXTLEN": "char_length",
    "REPLICATE": "repeat", "REGEXP_REPLACE": "redshift_internal.regexp_replace",
    "REGEXP_SUBSTR": "redshift_internal.regexp_substr", "DEXP": "exp", "DLOG1": "ln", "DLOG10": "log",
    "JSON_SERIALIZE": "redshift_internal.json_serialize",
}  # fmt: skip
_VALUES = {"SYSDATE": "localtimestamp", "MINUS": "EXCEPT"}
_TYPES = {"SUPER": "jsonb", "VARBYTE": "bytea", "VARBINARY": "bytea", "NVARCHAR": "varchar", "NCHAR": "char"}


def rewrite(tokens: list[Token]) -> list[Token]:
    """The tokens with every known function in PostgreSQL's spelling."""
    return _rewrite(rewrite_selects(temporary_names(tokens)))


def _rewrite(tokens: list[Token]) -> list[Token]:
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind != "word":
            result.append(token)
            at += 1
            continue
        opening = _opening(tokens, at)
        if opening is not None and token.upper in _FUNCTIONS:
            end = closing(tokens, opening)
            arguments = [_rewrite(part) for part in split_arguments(tokens[opening + 1 : end])]
            rewritten, at = _FUNCTIONS[token.upper](arguments, tokens, end + 1)
            result += rewritten
            continue
        result.append(_rewrite_word(tokens, at, opening))
        at += 1
    return result


def _rewrite_word(tokens: list[Token], at: int, opening: int | None) -> Token:
    token = tokens[at]
    if token.upper == "MAX" and at > 1 and tokens[at - 1].text == "(" and tokens[at + 1].text == ")":
        return word("65535") if tokens[at - 2].upper in ("VARCHAR", "NVARCHAR", "VARYING") else token
    if at > 0 and tokens[at - 1].text == ".":
        return token
    if opening is not None and token.upper in _RENAMED:
        return word(_RENAMED[token.upper])
    if opening is None and token.upper in _VALUES:
        return word(_VALUES[token.upper])
    if token.upper in _TYPES and _previous(tokens, at) in ("::", "AS"):
        return word(_TYPES[token.upper])
    if token.upper == "APPROXIMATE":
        return SPACE
    return token


def _previous(tokens: list[Token], at: int) -> str:
    return next((token.upper for token in reversed(tokens[:at]) if token.kind != "space"), "")


def _opening(tokens: list[Token], at: int) -> int | None:
    """The index of the parenthesis that follows directly, white space aside."""
    index = at + 1
    while index < len(tokens) and tokens[index].kind == "space":
        index += 1
    return index if index < len(tokens) and tokens[index].text == "(" else None


Rewritten = tuple[list[Token], int]
Function = Callable[[Arguments, list[Token], int], Rewritten]


def _simple(function: Callable[[Arguments], list[Token]]) -> Function:
    """A function whose call says everything."""
    return lambda arguments, _tokens, end: (function(arguments), end)


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


def _timestamp_literal(argument: list[Token]) -> list[Token]:
    """An untyped literal is a timestamp here."""
    parts = code(argument)
    return [*parts, word("::timestamp")] if len(parts) == 1 and parts[0].kind == "string" else argument


def _dateadd(arguments: Arguments) -> list[Token]:
    arguments = _date_part(arguments)
    if len(arguments) == 3:
        arguments[2] = _timestamp_literal(arguments[2])
    return call("pg_catalog.dateadd", arguments)


def _datediff(arguments: Arguments) -> list[Token]:
    arguments = _date_part(arguments)
    return call("pg_catalog.datediff", [*arguments[:1], *map(_timestamp_literal, arguments[1:])])


def _nvl2(arguments: Arguments) -> list[Token]:
    if len(arguments) != 3:
        return call("nvl2", arguments)
    tested, present, absent = arguments
    return [word("CASE WHEN ("), *tested, word(") IS NOT NULL THEN "), *present, word(" ELSE "), *absent, word(" END")]


def _decode(arguments: Arguments) -> list[Token]:
    if len(arguments) < 3:
        return call("decode", arguments)
    tested, rest = arguments[0], arguments[1:]
    tokens = [word("CASE")]
    for search, result in zip(rest[::2], rest[1::2], strict=False):
        tokens += [word(" WHEN ("), *tested, word(") IS NOT DISTINCT FROM ("), *search, word(") THEN "), *result]
    if len(rest) % 2:
        tokens += [word(" ELSE "), *rest[-1]]
    return [*tokens, word(" END")]


def _convert(arguments: Arguments) -> list[Token]:
    if len(arguments) != 2:
        return call("convert", arguments)
    return [word("CAST("), *arguments[1], word(" AS "), *arguments[0], word(")")]


def _clause(tokens: list[Token], at: int, *words: str) -> tuple[list[Token], int] | None:
    """What stands in the parentheses after these words, if they come next; and the index behind."""
    for expected in words:
        while at < len(tokens) and tokens[at].kind == "space":
            at += 1
        if at >= len(tokens) or tokens[at].upper != expected:
            return None
        at += 1
    while at < len(tokens) and tokens[at].kind == "space":
        at += 1
    if at >= len(tokens) or tokens[at].text != "(":
        return None
    end = closing(tokens, at)
    return _rewrite(tokens[at + 1 : end]), end + 1


def _listagg(arguments: Arguments, tokens: list[Token], end: int) -> Rewritten:
    """LISTAGG([DISTINCT] value [, delimiter]) [WITHIN GROUP (ORDER BY …)] [OVER (PARTITION BY …)]"""
    value = code(arguments[0]) and arguments[0]
    distinct = [word("DISTINCT ")] if code(value)[0].upper == "DISTINCT" else []
    value = [token for token in value if token.upper != "DISTINCT"] if distinct else value
    order: list[Token] = []
    if found := _clause(tokens, end, "WITHIN", "GROUP"):
        order, end = found
    if distinct and len(code(order)) > 2:  # PostgreSQL wants the very expression again
        direction = [token for token in code(order)[2:] if token.upper in ("ASC", "DESC")]
        order = [word("ORDER BY ("), *value, word(")::text "), *direction]
    delimiter = arguments[1] if len(arguments) > 1 else [string("")]
    call_tokens = [word("string_agg("), *distinct, symbol("("), *value, word(")::text, "), *delimiter]
    over = _clause(tokens, end, "OVER")
    if over is None:
        return [*call_tokens, SPACE, *order, symbol(")")], end
    whole = word(" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING") if order else SPACE
    return [*call_tokens, word(") OVER ("), *over[0], SPACE, *order, whole, symbol(")")], over[1]


def _median(arguments: Arguments) -> list[Token]:
    return [word("percentile_cont(0.5) WITHIN GROUP (ORDER BY "), *arguments[0], symbol(")")]


def _ratio_to_report(arguments: Arguments, tokens: list[Token], end: int) -> Rewritten:
    over, end = _clause(tokens, end, "OVER") or ([], end)
    value = arguments[0]
    total = [word("sum("), *value, word(") OVER ("), *over, symbol(")")]
    return [word("(("), *value, word(")::float8 / nullif("), *total, word(", 0)::float8)")], end


_FUNCTIONS: dict[str, Function] = {
    "DATEADD": _simple(_dateadd),
    "DATE_ADD": _simple(_dateadd),
    "DATEDIFF": _simple(_datediff),
    "DATE_DIFF": _simple(_datediff),
    "NVL2": _simple(_nvl2),
    "DECODE": _simple(_decode),
    "CONVERT": _simple(_convert),
    "LISTAGG": _listagg,
    "MEDIAN": _simple(_median),
    "RATIO_TO_REPORT": _ratio_to_report,
}

"""Functions and operators of Redshift's dialect that PostgreSQL spells otherwise, rewritten token by token.

In: the tokens of a statement. Out: tokens for PostgreSQL. What can be a function in the backend is one (see
`harness.redshift.catalog`); here is only what needs another spelling. Source: Database Developer Guide, "SQL functions
reference".
"""

from collections.abc import Callable

from harness.redshift.ddl import temporary_names
from harness.redshift.derived_tables import name_derived_tables
from harness.redshift.messages import Refusal
from harness.redshift.navigation import navigate
from harness.redshift.parameters import in_backend
from harness.redshift.pivots import rewrite_pivots
from harness.redshift.plan import not_supported
from harness.redshift.relations import following
from harness.redshift.selects import rewrite_selects
from harness.redshift.tokens import SPACE, Token, closing, code, split_arguments, string, symbol, value_of, word
from harness.redshift.types import ABSTIME

Arguments = list[list[Token]]
_RENAMED = {
    "NVL": "coalesce", "GETDATE": "pg_catalog.getdate", "LEN": "char_length", "TEXTLEN": "char_length",
    "REPLICATE": "repeat", "REGEXP_REPLACE": "redshift_internal.regexp_replace",
    "REGEXP_SUBSTR": "redshift_internal.regexp_substr", "DEXP": "exp", "DLOG1": "ln", "DLOG10": "log",
    "JSON_SERIALIZE": "redshift_internal.json_serialize", "CHR": "redshift_internal.chr",
    "REGEXP_COUNT": "redshift_internal.regexp_count", "REGEXP_INSTR": "redshift_internal.regexp_instr",
    "OBJECT": "jsonb_build_object", "ARRAY": "jsonb_build_array", "TO_DATE": "redshift_internal.to_date",
    "TO_TIMESTAMP": "redshift_internal.to_timestamp", "VERSION": "redshift_internal.version",
    "AVG": "redshift_internal.avg", "SUM": "redshift_internal.sum",
}  # fmt: skip
_VALUES = {
    "SYSDATE": "localtimestamp", "MINUS": "EXCEPT", "CURRENT_USER_ID": "redshift_internal.current_user_id()",
}  # fmt: skip
_TYPES = {
    "SUPER": "jsonb", "VARBYTE": "bytea", "VARBINARY": "bytea", "NVARCHAR": "varchar", "NCHAR": "char",
    "INTERVALY2M": "interval year to month", "INTERVALD2S": "interval day to second", "ABSTIME": ABSTIME,
}  # fmt: skip


def rewrite(tokens: list[Token], *, in_routine: bool = False) -> list[Token]:
    """The tokens with every known function in PostgreSQL's spelling.

    `in_routine`: they are the body of a procedure or function, where names may be variables.
    """
    tokens = name_derived_tables(_numbers_apart(tokens))
    return _rewrite(rewrite_selects(navigate(rewrite_pivots(temporary_names(tokens)), in_routine=in_routine)))


def _numbers_apart(tokens: list[Token]) -> list[Token]:
    """With a space between a number and a word that follows it directly, which PostgreSQL 15 and later insist on."""
    result: list[Token] = []
    for token in tokens:
        if result and result[-1].kind == "number" and token.kind == "word":
            result.append(SPACE)
        result.append(token)
    return result


def _rewrite(tokens: list[Token]) -> list[Token]:
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if end := _string_as_super(tokens, at):
            result += [word("pg_catalog.to_jsonb("), token, word("::text)")]
            at = end
            continue
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


_TYPED = frozenset(("DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "ZONE"))


def _string_as_super(tokens: list[Token], at: int) -> int:
    """The index behind `'literal'::SUPER` or `$1::SUPER`, which is a string and is not read as JSON; 0 if there is
    something else. Of CAST('literal' AS SUPER) it is the index behind the literal."""
    if tokens[at].kind not in ("string", "dollar", "parameter"):
        return 0
    cast = following(tokens, at + 1)
    kind = following(tokens, cast + 1)
    if kind >= len(tokens) or tokens[kind].upper != "SUPER" or (before := _previous(tokens, at)) in _TYPED:
        return 0
    if tokens[cast].text == "::":
        return kind + 1
    return at + 1 if tokens[cast].upper == "AS" and before == "(" else 0


def _rewrite_word(tokens: list[Token], at: int, opening: int | None) -> Token:
    token = tokens[at]
    if token.upper == "MAX" and at > 1 and tokens[at - 1].text == "(" and tokens[at + 1].text == ")":
        return word("65535") if tokens[at - 2].upper in ("VARCHAR", "NVARCHAR", "VARYING") else token
    if at > 0 and tokens[at - 1].text == ".":
        return token
    if opening is not None and token.upper in _RENAMED and not _is_relation(tokens, at, opening):
        return word(_RENAMED[token.upper])
    if opening is None and token.upper in _VALUES:
        return word(_VALUES[token.upper])
    if token.upper in _TYPES and _previous(tokens, at) in ("::", "AS"):
        return word(_TYPES[token.upper])
    if token.upper == "APPROXIMATE":
        return SPACE
    return token


# behind these stands the name of a relation or routine, which a column list may follow
_BEFORE_RELATION = frozenset((
    "INTO", "TABLE", "REFERENCES", "WITH", "RECURSIVE", "AS", "JOIN", "UPDATE", "FUNCTION", "PROCEDURE", "VIEW",
    "COPY", "ANALYZE",
))  # fmt: skip


def _is_relation(tokens: list[Token], at: int, opening: int) -> bool:
    """Whether the name before a parenthesis is that of a table or a common table expression, not of a function."""
    if _previous(tokens, at) in _BEFORE_RELATION:
        return True
    behind = following(tokens, closing(tokens, opening) + 1)
    query = following(tokens, behind + 1)
    return query < len(tokens) and tokens[behind].upper == "AS" and tokens[query].text == "("


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


# "Date parts for date or timestamp functions": their synonyms by PostgreSQL's names
_DATE_PARTS = {
    "millennium": "millennium millennia mil mils", "century": "century centuries c cent cents",
    "decade": "decade decades dec decs", "year": "year years y yr yrs", "quarter": "quarter quarters qtr qtrs",
    "month": "month months mon mons", "week": "week weeks w", "day": "day days d",
    "dow": "dow dayofweek dw weekday", "doy": "doy dayofyear dy yearday", "hour": "hour hours h hr hrs",
    "minute": "minute minutes m min mins", "second": "second seconds s sec secs",
    "millisecond": "millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon",
    "microsecond": "microsecond microseconds us usec usecs usecond useconds microsec microsecs microsecon",
    "epoch": "epoch", "timezone": "timezone", "timezone_hour": "timezone_hour", "timezone_minute": "timezone_minute",
}  # fmt: skip
_DATE_PART_NAMES = {synonym: name for name, synonyms in _DATE_PARTS.items() for synonym in synonyms.split()}


def _date_part_of(arguments: Arguments) -> list[Token]:
    """DATE_PART(part, moment); the part is a bare word or a string.

    As `'part'::text` it is an EXTRACT, which a view's definition shows so.
    """
    part = code(arguments[0]) if arguments else []
    if len(arguments) > 1 and len(part) == 3 and part[0].kind == "string" and part[1].text == "::":
        known = [string(_date_part_name(value_of(part[0]).lower()))]
        return call("redshift_internal.date_part", [known, *arguments[1:]])
    return _pgdate_part_of(arguments)


def _pgdate_part_of(arguments: Arguments) -> list[Token]:
    """PGDATE_PART(part, moment), which is DATE_PART by the name that its column has."""
    part = code(arguments[0]) if arguments else []
    if len(arguments) != 2 or not part or (len(part) > 1 and part[1].text != "::"):
        return call("date_part", arguments)
    name = value_of(part[0]) if part[0].kind == "string" else part[0].text.strip('"')
    return call(
        "redshift_internal.pgdate_part", [[string(_date_part_name(name.lower()))], _timestamp_literal(arguments[1])]
    )


def _date_part_name(name: str) -> str:
    """PostgreSQL's name of a date part, or what was written."""
    return _DATE_PART_NAMES.get(name, name)


def _date_trunc(arguments: Arguments) -> list[Token]:
    part = code(arguments[0]) if arguments else []
    if len(arguments) == 2 and len(part) == 1 and part[0].kind == "string":
        name = value_of(part[0]).lower()
        return call("date_trunc", [[string(_DATE_PART_NAMES.get(name, name))], _timestamp_literal(arguments[1])])
    return call("date_trunc", arguments)


def _extract(arguments: Arguments) -> list[Token]:
    """EXTRACT(part FROM moment), whose column is called date_part."""
    parts = code(arguments[0])
    if len(arguments) != 1 or len(parts) < 3 or parts[1].upper != "FROM":
        return call("extract", arguments)
    name = value_of(parts[0]) if parts[0].kind == "string" else parts[0].text.strip('"')
    at = next(index for index, token in enumerate(arguments[0]) if token.upper == "FROM")
    moment = arguments[0][at + 1 :]
    known = _date_part_name(name.lower())
    if known == "epoch":
        return call("redshift_internal.date_part", [moment])
    literal = [[word("true")]] if [token.upper for token in parts[2:3]] == ["TIMETZ"] else []
    return call("redshift_internal.date_part", [[string(known)], moment, *literal])


def _concat(arguments: Arguments) -> list[Token]:
    """CONCAT takes two arguments, and a NULL makes NULL."""
    if len(arguments) != 2:
        raise Refusal("42883", f"function concat() with {len(arguments)} arguments does not exist")
    return call("redshift_internal.concat", [call("redshift_internal.joined", [part]) for part in arguments])


def _json_extract_path_text(arguments: Arguments) -> list[Token]:
    """The last argument may be null_if_invalid, which stands where PostgreSQL wants a path."""
    last = code(arguments[-1]) if arguments else []
    if len(arguments) > 2 and len(last) == 1 and last[0].upper in ("TRUE", "FALSE"):
        return call("redshift_internal.json_extract_path_text", [arguments[0], last, *arguments[1:-1]])
    return call("json_extract_path_text", arguments)


def _hll(arguments: Arguments) -> list[Token]:
    """HLL(x): the cardinality; exact here."""
    return [word("count(DISTINCT "), *arguments[0], symbol(")")]


def _dateadd(arguments: Arguments) -> list[Token]:
    arguments = _date_part(arguments)
    if len(arguments) == 3:
        arguments[2] = _timestamp_literal(arguments[2])
    return call("pg_catalog.date_add", arguments)


def _datediff(arguments: Arguments) -> list[Token]:
    arguments = _date_part(arguments)
    return call("pg_catalog.date_diff", [*arguments[:1], *map(_timestamp_literal, arguments[1:])])


def _setting(function: str) -> Function:
    """CURRENT_SETTING('name') and SET_CONFIG('name', 'value', is_local), also of a parameter that only Redshift has."""

    def rewritten(arguments: Arguments) -> list[Token]:
        name = code(arguments[0]) if arguments else []
        if len(name) == 1 and name[0].kind == "string":
            written = value_of(name[0])
            arguments = [[string(in_backend(written) or written)], *arguments[1:]]
        return call(function, arguments)

    return _simple(rewritten)


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
    distinct = [word("DISTINCT ")] if [token.upper for token in code(value)[:1]] == ["DISTINCT"] else []
    value = [token for token in value if token.upper != "DISTINCT"] if distinct else value
    order: list[Token] = []
    if found := _clause(tokens, end, "WITHIN", "GROUP"):
        order, end = found
    if distinct and len(code(order)) > 2:  # PostgreSQL wants the very expression again
        keys = split_arguments(order)
        key = [token.upper or token.text for token in code(keys[0])[2:]]
        written = [token.upper or token.text for token in code(value)]
        if len(keys) > 1 or key[: len(written)] != written or not set(key[len(written) :]) <= {"ASC", "DESC"}:
            raise not_supported("LISTAGG (DISTINCT …) in the order of something else is not supported by this stand-in")
        direction = [token for token in code(keys[0])[2:] if token.upper in ("ASC", "DESC")]
        order = [word("ORDER BY ("), *value, word(")::text "), *direction]
    delimiter = arguments[1] if len(arguments) > 1 else [string("")]
    call_tokens = [word("string_agg("), *distinct, symbol("("), *value, word(")::text, "), *delimiter]
    over = _clause(tokens, end, "OVER")
    if over is None:
        return [*call_tokens, SPACE, *order, symbol(")")], end
    whole = word(" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING") if order else SPACE
    return [*call_tokens, word(") OVER ("), *over[0], SPACE, *order, whole, symbol(")")], over[1]


def _median(arguments: Arguments, tokens: list[Token], end: int) -> Rewritten:
    """MEDIAN(value) [OVER (PARTITION BY …)]: only an aggregate of the stand-in's own can be a window function."""
    over = _clause(tokens, end, "OVER")
    if over is None:
        return [word("percentile_cont(0.5) WITHIN GROUP (ORDER BY "), *arguments[0], symbol(")")], end
    partition, end = over
    if any(token.upper == "ORDER" for token in partition):
        raise Refusal("42601", 'syntax error at or near "ORDER"', hint="MEDIAN OVER takes PARTITION BY only")
    return [word("redshift_internal.median(("), *arguments[0], word(")::numeric) OVER ("), *partition, symbol(")")], end


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
    "CURRENT_SETTING": _setting("current_setting"),
    "SET_CONFIG": _setting("set_config"),
    "DECODE": _simple(_decode),
    "CONVERT": _simple(_convert),
    "LISTAGG": _listagg,
    "MEDIAN": _median,
    "DATE_PART": _simple(_date_part_of),
    "PGDATE_PART": _simple(_pgdate_part_of),
    "DATE_TRUNC": _simple(_date_trunc),
    "EXTRACT": _simple(_extract),
    "CONCAT": _simple(_concat),
    "JSON_EXTRACT_PATH_TEXT": _simple(_json_extract_path_text),
    "HLL": _simple(_hll),
    "RATIO_TO_REPORT": _ratio_to_report,
}

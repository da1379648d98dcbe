"""PIVOT and UNPIVOT of a subquery in FROM, as a grouped query and as a join with VALUES.

In: the tokens of a statement. Out: tokens without either. The columns that neither names stay in the result, so the
subquery must list its columns: what a table or a star has the backend was asked before (`pivot_sources`), and where it
does not know it is refused. Source: Database Developer Guide, "FROM clause" and "PIVOT and UNPIVOT examples".
"""

from dataclasses import dataclass

from harness.redshift.long_names import POSTGRES_MAX_BYTES
from harness.redshift.messages import Refusal
from harness.redshift.plan import not_supported, syntax_error
from harness.redshift.relations import NO_ALIAS
from harness.redshift.selects import output_names
from harness.redshift.tokens import (
    Cursor,
    Token,
    closing,
    code,
    is_code,
    join,
    name_of,
    quote_name,
    quote_string,
    split_arguments,
    value_of,
    word,
)

_AGGREGATES = frozenset(("COUNT", "SUM", "MIN", "MAX", "AVG"))


def rewrite_pivots(tokens: list[Token]) -> list[Token]:
    """The statement without PIVOT and UNPIVOT; the same tokens if it has none.

    Raises:
        Refusal: it is not written as Redshift has it, or its source is no subquery with a list of columns.
    """
    if not any(token.upper in ("PIVOT", "UNPIVOT") for token in tokens):
        return tokens
    at = 0
    while at < len(tokens):
        if tokens[at].upper in ("PIVOT", "UNPIVOT") and (first := opening(tokens, at)) is not None:
            end = closing(tokens, first)
            start = source_start(tokens, at)
            modes = [token.upper for token in code(tokens[at + 1 : first])]
            sql = _render(tokens[start:at], tokens[at].upper, modes, tokens[first + 1 : end])
            alias = "" if _has_alias(tokens, end + 1) else f" AS redshift_rotated_{start}"
            tokens = [*tokens[:start], word(sql + alias), *tokens[end + 1 :]]
            at = start
        at += 1
    return tokens


def _has_alias(tokens: list[Token], at: int) -> bool:
    """Whether the item of FROM that ends before `at` has an alias, which PostgreSQL 15 insists on."""
    following = next((token for token in tokens[at:] if is_code(token)), None)
    if following is None or following.kind not in ("word", "quoted"):
        return False
    return following.upper == "AS" or following.upper not in NO_ALIAS | {"PIVOT", "UNPIVOT"}


def opening(tokens: list[Token], at: int) -> int | None:
    """Where the parenthesis behind [INCLUDE | EXCLUDE] NULLS is; None for UNPIVOT of an object."""
    for index in range(at + 1, len(tokens)):
        if tokens[index].text == "(":
            return index
        if is_code(tokens[index]) and tokens[index].upper not in ("INCLUDE", "EXCLUDE", "NULLS"):
            return None
    return None


def source_start(tokens: list[Token], at: int) -> int:
    """Where the subquery before PIVOT or UNPIVOT begins."""
    end = next((index for index in range(at - 1, -1, -1) if is_code(tokens[index])), None)
    if end is None or tokens[end].text != ")":
        hint = "a subquery that lists its columns"
        raise not_supported(f"{tokens[at].upper} of anything but {hint} is not supported by this stand-in")
    depth = 0
    for index in range(end, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[index].text, 0)
        if depth == 0:
            return index
    raise syntax_error(tokens[at].text)


@dataclass(frozen=True)
class _Value:
    """One of the IN list: its tokens in SQL and the name it gives."""

    sql: str
    name: str


def _render(source: list[Token], kind: str, modes: list[str], body: list[Token]) -> str:
    columns = output_names(select_list(source))
    if not columns:
        raise not_supported(
            f"{kind} of a subquery with a star or a column without a name is not supported by this stand-in"
        )
    at = next((index for index, token in enumerate(body) if token.upper == "FOR"), None)
    if at is None:
        raise syntax_error(kind)
    cursor = Cursor(code(body[at + 1 :]))
    column = cursor.name()
    if column is None or not cursor.take("IN") or cursor.peek() != "(":
        raise syntax_error(cursor.peek() or "end of input")
    end = closing(cursor.tokens, cursor.at)
    values = [_value(part, is_name=kind == "UNPIVOT") for part in split_arguments(cursor.tokens[cursor.at + 1 : end])]
    if end + 1 < len(cursor.tokens):
        raise syntax_error(cursor.tokens[end + 1].text)
    if kind == "PIVOT":
        return _pivot(join(source), columns, code(body[:at]), column, values)
    return _unpivot(join(source), columns, code(body[:at]), column, values, nulls=modes == ["INCLUDE", "NULLS"])


def select_list(source: list[Token]) -> list[Token]:
    """What a subquery in parentheses selects, with all that follows."""
    inside = source[1 : closing(source, 0)]
    at = next((index for index, token in enumerate(inside) if is_code(token)), 0)
    if not inside or inside[at].upper != "SELECT":
        return []
    return inside[at + 1 :]


def _value(part: list[Token], *, is_name: bool) -> _Value:
    """A value of the IN list with its alias; without one, a constant is its own name."""
    cut = next((index for index, token in enumerate(part) if token.upper == "AS"), len(part))
    tokens, alias = part[:cut], part[cut + 1 :]
    if not tokens:
        raise syntax_error(")")
    if alias:
        name = value_of(alias[0]) if alias[0].kind == "string" else name_of(alias[0])
    elif len(tokens) == 1 and tokens[0].kind == "string":
        name = value_of(tokens[0])
    else:
        name = name_of(tokens[-1]) if is_name else join(tokens).lower()
    return _Value(quote_name(name_of(tokens[-1])) if is_name else join(tokens), name)


def _column(name: str) -> str:
    """The name of a result's column, which a value gives."""
    if len(name.encode()) > POSTGRES_MAX_BYTES:
        raise not_supported("PIVOT to a column whose name has more than 63 bytes is not supported by this stand-in")
    return quote_name(name)


def _pivot(source: str, columns: list[str], aggregate: list[Token], column: str, values: list[_Value]) -> str:
    if len(aggregate) < 4 or aggregate[0].upper not in _AGGREGATES or aggregate[1].text != "(":
        raise Refusal("0A000", "PIVOT supports the aggregates COUNT, SUM, MIN, MAX and AVG only")
    end = closing(aggregate, 1)
    argument, alias = aggregate[2:end], [token for token in aggregate[end + 1 :] if token.upper != "AS"]
    used = {quote_name(name_of(token)) for token in argument if token.kind in ("word", "quoted")} | {column}
    kept = [name for name in columns if name not in used]
    then = "1" if join(argument) == "*" else " ".join(token.text for token in argument)
    suffix = f"_{name_of(alias[0])}" if alias else ""
    results = [
        f"{aggregate[0].text}(CASE WHEN {column} IS NOT DISTINCT FROM ({value.sql}) THEN {then} END) "
        f"AS {_column(value.name + suffix)}"
        for value in values
    ]
    group = f" GROUP BY {', '.join(kept)}" if kept else ""
    return f"(SELECT {', '.join(kept + results)} FROM {source} AS redshift_pivot{group})"


def _unpivot(
    source: str, columns: list[str], value: list[Token], column: str, values: list[_Value], *, nulls: bool
) -> str:
    if len(value) != 1 or value[0].kind not in ("word", "quoted"):
        raise syntax_error(value[0].text if value else "FOR")
    name = quote_name(name_of(value[0]))
    kept = [each for each in columns if each not in {item.sql for item in values}]
    rows = ", ".join(f"({quote_string(item.name)}, {item.sql})" for item in values)
    where = "" if nulls else f" WHERE {name} IS NOT NULL"
    return (
        f"(SELECT {', '.join([*kept, column, name])} FROM {source} AS redshift_unpivot "
        f"CROSS JOIN LATERAL (VALUES {rows}) AS redshift_values({column}, {name}){where})"
    )

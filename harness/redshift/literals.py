"""Literals of a table's or view's query with the types that Redshift gives their columns.

In: the tokens of a CREATE TABLE AS or CREATE VIEW. Out: the same with a cast behind each item of a select list that is
only a literal: 'new' is VARCHAR(3) and 1.23 NUMERIC(3,2), where PostgreSQL makes columns that take any text and any
number, and so what a later INSERT brings that does not fit. In a query with UNION and the like a literal stays as it
is: its type depends on the other queries. Sources: dbt-redshift's functional tests ("columns in relation"), which ran
on Redshift; Database Developer Guide, "Character types" (in an expression, VARCHAR and TEXT are as long as what they
are made of).
"""

import re

from harness.redshift.lateral import SET_OPERATIONS, places
from harness.redshift.tokens import SPACE, Token, closing, code, split_arguments, symbol, value_of, word

_BEHIND_LIST = frozenset((
    "FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "WITH",
))  # fmt: skip
_SELECT = frozenset(("SELECT",))
_QUANTIFIERS = frozenset(("ALL", "DISTINCT"))
_DECIMAL = re.compile(r"\d*\.\d+")
_DIGITS_MAX, _BYTES_MAX = 38, 65_535


def with_types(tokens: list[Token]) -> list[Token]:
    """The statement with its select lists' literals cast, in parentheses too."""
    if places(tokens, SET_OPERATIONS):
        return tokens
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        result.append(tokens[at])
        if tokens[at].text == "(" and (end := closing(tokens, at)) > at:
            result += [*with_types(tokens[at + 1 : end]), tokens[end]]
            at = end
        at += 1
    selects = places(result, _SELECT)
    if len(selects) != 1:
        return result
    first = selects[0] + 1
    end = next((place for place in places(result, _BEHIND_LIST) if place > first), len(result))
    items = [_item(item) for item in split_arguments(result[first:end])]
    listed = [token for item in items for token in (symbol(","), *item)][1:]
    return [*result[:first], *listed, *result[end:]]


def _item(item: list[Token]) -> list[Token]:
    """One item of a select list; with a cast if it is a literal, whatever its name."""
    parts = code(item)
    head = parts[:1] if parts and parts[0].upper in _QUANTIFIERS else []
    value, name = _literal(parts[len(head) :])
    type_name = _type_of(value)
    if type_name is None or not _is_alias(name):
        return item
    cast = f"::{type_name}" if name else f'::{type_name} AS "?column?"'  # which a cast alone would name otherwise
    typed = (*head, symbol("("), *value, symbol(")"), word(cast), *name)
    return [SPACE, *(token for part in typed for token in (part, SPACE))]


def _literal(parts: list[Token]) -> tuple[list[Token], list[Token]]:
    """The literal that an item is, with its sign but without a cast that gives no length; and what stands behind it."""
    words = [part.upper for part in parts[:6]]
    if words[:2] == ["CAST", "("] and words[3:4] == ["AS"] and words[4:] in (["TEXT", ")"], ["VARCHAR", ")"]):
        return parts[2:3], parts[6:]
    if words[1:] and words[1] == "::" and words[2:3] in (["TEXT"], ["VARCHAR"]) and words[3:4] != ["("]:
        return parts[:1], parts[3:]
    size = 2 if words[:1] in (["-"], ["+"]) else 1
    return parts[:size], parts[size:]


def _is_alias(tokens: list[Token]) -> bool:
    """Whether what stands behind a value is its name, or nothing."""
    names = tokens[1:] if tokens and tokens[0].upper == "AS" else tokens
    return not tokens or (len(names) == 1 and names[0].kind in ("word", "quoted"))


def _type_of(literal: list[Token]) -> str | None:
    """The type of a literal; None if it is none, or one of which PostgreSQL says the same."""
    value = literal[-1] if literal else SPACE
    if value.kind == "string" and value.text[0] == "'" and len(literal) == 1:
        size_bytes = len(value_of(value).encode())
        return f"varchar({size_bytes})" if 0 < size_bytes <= _BYTES_MAX else None
    if value.kind != "number" or not _DECIMAL.fullmatch(value.text):
        return None
    digits = len(value.text) - 1
    return f"numeric({digits}, {digits - value.text.index('.')})" if digits <= _DIGITS_MAX else None

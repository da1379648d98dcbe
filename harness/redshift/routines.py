"""Procedures and functions: their types in PostgreSQL's words, and what they declare that PostgreSQL forgets.

In: the tokens of a statement that names a routine with its parameters, or of a body in PL/pgSQL. Out: the same for
PostgreSQL, and one statement that records lengths, scales and kinds of interval in `redshift_internal`, from where SHOW
PARAMETERS shows them. Source: Database Developer Guide, "CREATE PROCEDURE", "CREATE FUNCTION", "SHOW PARAMETERS",
"Structure of PL/pgSQL".
"""

from itertools import takewhile

from harness.redshift.messages import Refusal
from harness.redshift.tokens import SPACE, Cursor, Token, closing, code, is_code, quote_string, split_arguments, word
from harness.redshift.types import read_type

_MODES = frozenset(("IN", "OUT", "INOUT"))
_ROUTINES = frozenset(("FUNCTION", "PROCEDURE"))
_OWN_TYPES = frozenset(("SUPER", "VARBYTE", "VARBINARY", "BINARY"))  # PostgreSQL has another word for them


def declared(tokens: list[Token]) -> str | None:
    """The statement that records the parameters' types; None if it names one that is PostgreSQL's own."""
    cursor = Cursor(code(tokens), 1)
    cursor.take("OR", "REPLACE")
    cursor.at += 1  # PROCEDURE or FUNCTION
    name = cursor.name()
    if name is None or cursor.peek() != "(":
        return None
    inner = cursor.tokens[cursor.at + 1 : closing(cursor.tokens, cursor.at)]
    try:
        types = [_parameter(parameter)[1] for parameter in split_arguments(inner)] if inner else []
    except Refusal:
        return None
    listed = ", ".join(quote_string(kind) for kind in types)
    call = f"redshift_internal.declare_routine({quote_string(name)}, array[{listed}]::text[])"
    return f"DO {quote_string(f'BEGIN PERFORM {call}; END')}"


def with_types(tokens: list[Token]) -> list[Token]:
    """A statement with the types of each routine's parameters and of its result in PostgreSQL's words."""
    result: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        result.append(token)
        at += 1
        if token.upper in _ROUTINES and (opening := _opening(tokens, at)) is not None:
            end = closing(tokens, opening)
            result += tokens[at : opening + 1]
            for index, parameter in enumerate(split_arguments(tokens[opening + 1 : end])):
                result += [word(","), SPACE] if index else []
                result += _in_postgres(parameter)
            at = end
        elif token.upper == "RETURNS":
            following = list(takewhile(lambda each: each.upper not in ("AS", "STABLE", "VOLATILE", "IMMUTABLE",
                                                                       "LANGUAGE"), tokens[at:]))  # fmt: skip
            result += [SPACE, *_in_postgres(following), SPACE]
            at += len(following)
    return result


def with_variables(body: list[Token]) -> list[Token]:
    """A body in PL/pgSQL with the types of the variables it declares in PostgreSQL's words."""
    result: list[Token] = []
    at, before = 0, 0  # before: how many words of a declaration were read
    declaring = False
    while at < len(body):
        token = body[at]
        if is_code(token):
            declaring = token.upper == "DECLARE" or (declaring and token.upper != "BEGIN")
            before = 0 if token.upper == "DECLARE" or token.text == ";" else before + (token.upper != "CONSTANT")
            if declaring and before == 2 and token.upper in _OWN_TYPES:
                cursor = Cursor(body, at)
                result.append(word(read_type(cursor, column=False)))
                at = cursor.at
                continue
        result.append(token)
        at += 1
    return result


def _opening(tokens: list[Token], at: int) -> int | None:
    """The parenthesis after a routine's name."""
    index = next((i for i in range(at, len(tokens)) if is_code(tokens[i]) and tokens[i].kind not in ("word", "quoted")
                  and tokens[i].text != "."), None)  # fmt: skip
    return index if index is not None and tokens[index].text == "(" else None


def _in_postgres(parameter: list[Token]) -> list[Token]:
    """`[name] [mode] type` with PostgreSQL's word for the type; unchanged if it is one of PostgreSQL's own."""
    try:
        before, kind = _parameter(parameter)
    except Refusal:
        return parameter
    return [*(piece for token in before for piece in (token, SPACE)), word(kind)]


def _parameter(parameter: list[Token]) -> tuple[list[Token], str]:
    """Of `[name] [mode] type`: what is before the type, and the type in PostgreSQL's words.

    Raises:
        Refusal: it is none that a column may have, such as REFCURSOR.
    """
    parts = code(parameter)
    words = [index for index, token in enumerate(parts) if token.upper not in _MODES][:2]
    for first in reversed(words):
        cursor = Cursor(parts, first)
        try:
            found = read_type(cursor, column=False)
        except Refusal:
            continue
        if not cursor.peek():
            return parts[:first], found
    raise Refusal("42704", "type does not exist")

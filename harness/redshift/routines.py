"""What a procedure or function declares of its parameters and PostgreSQL forgets: lengths, scales, kinds of interval.

In: the tokens of a CREATE PROCEDURE or CREATE FUNCTION. Out: one statement that records them in `redshift_internal`,
from where SHOW PARAMETERS shows them. Source: Database Developer Guide, "CREATE PROCEDURE", "SHOW PARAMETERS".
"""

from harness.redshift.messages import Refusal
from harness.redshift.tokens import Cursor, Token, closing, code, quote_string, split_arguments
from harness.redshift.types import read_type

_MODES = frozenset(("IN", "OUT", "INOUT"))


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
        types = [_type(parameter) for parameter in split_arguments(inner)] if inner else []
    except Refusal:
        return None
    listed = ", ".join(quote_string(kind) for kind in types)
    call = f"redshift_internal.declare_routine({quote_string(name)}, array[{listed}]::text[])"
    return f"DO {quote_string(f'BEGIN PERFORM {call}; END')}"


def _type(parameter: list[Token]) -> str:
    """Of `[name] [mode] type`: the type, in PostgreSQL's words.

    Raises:
        Refusal: it is none that a column may have, such as REFCURSOR.
    """
    parts = [token for token in parameter if token.upper not in _MODES]
    for first in (1, 0) if len(parts) > 1 else (0,):
        cursor = Cursor(parts, first)
        try:
            found = read_type(cursor, column=False)
        except Refusal:
            continue
        if not cursor.peek():
            return found
    raise Refusal("42704", "type does not exist")

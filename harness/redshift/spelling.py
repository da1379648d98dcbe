"""Names in quotes: their capitals become small letters, unless the session's enable_case_sensitive_identifier is on.

In: the tokens of a statement. Out: the same with such names as Redshift takes them. Only ASCII letters are folded, and
never those of a user's name. Source: Database Developer Guide, "Names and identifiers" and
"enable_case_sensitive_identifier".
"""

import re

from harness.redshift.backend import Backend, Statement
from harness.redshift.exchanges import BackendError, Skipped
from harness.redshift.tokens import Token, is_code, join, tokenize

_CAPITAL_IN_QUOTES = re.compile(r'"[^"]*[A-Z]')
_CAPITALS = re.compile(r"[A-Z]+")
_SETTING = "SHOW redshift.enable_case_sensitive_identifier"  # a SHOW takes no snapshot, which a lock has to precede
_ON = re.compile(r"(?i)on|true|t|yes|y|1")
_ROUTINES = frozenset(("FUNCTION", "PROCEDURE"))


def matters(sql: str) -> bool:
    """Whether a text may have a name in quotes with a capital."""
    return _CAPITAL_IN_QUOTES.search(sql) is not None


async def keeps_capitals(backend: Backend) -> bool:
    """Whether the session keeps the capitals of names in quotes."""
    try:
        ((value,),) = await backend.run(Statement(_SETTING, ()))
    except (BackendError, Skipped):  # the transaction had failed before, as the statement will say
        return False
    return value is not None and _ON.fullmatch(value) is not None


def fold(tokens: list[Token]) -> list[Token]:
    """The tokens of one statement with small letters in quotes; the same list if there is nothing to fold."""
    if not any(token.kind in ("quoted", "dollar") and matters(token.text) for token in tokens):
        return tokens
    users = _Users(tokens)
    is_routine = any(token.upper in _ROUTINES for token in tokens)
    return [
        _small(token) if token.kind == "quoted" and not users.has(index)
        else _body(token) if token.kind == "dollar" and is_routine
        else token
        for index, token in enumerate(tokens)
    ]  # fmt: skip


def _small(token: Token) -> Token:
    text = _CAPITALS.sub(lambda capitals: capitals[0].lower(), token.text)
    return Token(token.kind, text, text)


def _body(token: Token) -> Token:
    """The body of a routine."""
    quote = token.text[: token.text.index("$", 1) + 1]
    text = quote + join(fold(tokenize(token.text[len(quote) : -len(quote)]))) + quote
    return Token(token.kind, text, text)


class _Users:
    """Which names of a statement are those of users: after USER and AUTHORIZATION, OWNER TO, and in grants."""

    def __init__(self, tokens: list[Token]) -> None:
        self._places: set[int] = set()
        kind = next((token.upper for token in tokens if is_code(token)), "")
        grantees = {"GRANT": "TO", "REVOKE": "FROM"}.get(kind)
        before, last, in_list = "", "", False
        for index, token in enumerate(tokens):
            if not is_code(token):
                continue
            in_list = in_list or token.upper == grantees
            named = last in ("USER", "AUTHORIZATION") or (before, last) == ("OWNER", "TO")
            if token.kind == "quoted" and (named or (in_list and last not in ("GROUP", "ROLE"))):
                self._places.add(index)
            before, last = last, token.upper

    def has(self, index: int) -> bool:
        return index in self._places

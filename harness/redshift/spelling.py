"""Names in quotes: their capitals become small letters, unless the session's enable_case_sensitive_identifier is on.

In: the tokens of a statement. Out: the same with such names as Redshift takes them. Only ASCII letters are folded, and
never those of a user's name. Source: Database Developer Guide, "Names and identifiers" and
"enable_case_sensitive_identifier".
"""

import re

from harness.redshift.backend import Backend, Statement
from harness.redshift.exchanges import BackendError, Skipped
from harness.redshift.tokens import Token, is_code, join, tokenize

# A name in quotes; strings and comments come first, so that what is in quotes inside of them is none.
_NAMES = re.compile(r"""'(?:[^'\\]|''|\\.)*'|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/|"([^"]*)["]""", re.DOTALL)
_CAPITALS = re.compile(r"[A-Z]+")
_UNLOADED = re.compile(r'(?i:\bunload\b).*"[^"]*[A-Z]', re.DOTALL)  # whose query is a string
_SETTING = "SHOW redshift.enable_case_sensitive_identifier"  # a SHOW takes no snapshot, which a lock has to precede
_ON = re.compile(r"(?i)on|true|t|yes|y|1")
_ROUTINES = frozenset(("FUNCTION", "PROCEDURE"))


def matters(sql: str) -> bool:
    """Whether a text may have a name in quotes with a capital."""
    if '"' not in sql:
        return False
    return any(found[1] and _CAPITALS.search(found[1]) for found in _NAMES.finditer(sql)) or bool(_UNLOADED.search(sql))


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
    users = _users(tokens)
    is_routine = any(token.upper in _ROUTINES for token in tokens)
    return [
        _small(token) if token.kind == "quoted" and index not in users
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


def _users(tokens: list[Token]) -> set[int]:
    """The places of users' names: in statements about a user, in grants, and after OWNER TO and AUTHORIZATION."""
    parts = [index for index, token in enumerate(tokens) if is_code(token)]
    words = [tokens[index].upper for index in parts]
    verb = next((word for word in words if word in ("GRANT", "REVOKE")), "")  # ALTER DEFAULT PRIVILEGES … GRANT …
    grantees = {"GRANT": "TO", "REVOKE": "FROM"}.get(verb) if words[0] in (verb, "ALTER") else None
    of_user = words[0] in ("CREATE", "ALTER", "DROP") and words[1:2] == ["USER"]
    places: set[int] = set()
    in_list = of_user
    for at, index in enumerate(parts[1:], 1):
        before = words[at - 1]
        in_list = in_list or before == grantees
        if before in ("GROUP", "ROLE"):
            in_list = in_list and not of_user  # IN GROUP is followed by groups only, GROUP in a grant by one
            continue
        if in_list or before == "AUTHORIZATION" or words[at - 2 : at] in (["OWNER", "TO"], ["FOR", "USER"]):
            places.add(index)
    return places

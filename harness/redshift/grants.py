"""GRANT and REVOKE of roles, and of privileges to roles, in PostgreSQL's words, which knows no ROLE there.

In: the tokens of a GRANT or REVOKE. Out: SQL for PostgreSQL. Source: Database Developer Guide, "GRANT" (role
permissions), "REVOKE" and "Amazon Redshift system-defined roles".
"""

from collections.abc import Callable

from harness.redshift.plan import not_supported, syntax_error
from harness.redshift.tokens import Cursor, Token, code, join, name_of, quote_name

Rewrite = Callable[[list[Token]], list[Token]]


def grant(tokens: list[Token], rewrite: Rewrite) -> str:
    """The statement for PostgreSQL.

    Raises:
        Refusal: it is not written as Redshift has it, or what is granted is not emulated: ASSUMEROLE, CREATE USER.
    """
    cursor = Cursor(code(tokens), 1)
    has_option = cursor.take("ADMIN", "OPTION", "FOR")
    if cursor.take("ROLE"):
        return _of_roles(cursor, has_option=has_option)
    words = [token.upper for token in cursor.tokens]
    if words[1:2] == ["ASSUMEROLE"] or not (has_option or "ON" in words):
        raise not_supported("IAM roles and system permissions are granted to nobody in this stand-in")
    return join(_without_role(rewrite(tokens)))


def _of_roles(cursor: Cursor, *, has_option: bool) -> str:
    verb = cursor.tokens[0].upper
    roles = [_name(cursor)]
    while cursor.take(","):
        cursor.take("ROLE")
        roles.append(_name(cursor))
    if not cursor.take("TO" if verb == "GRANT" else "FROM"):
        raise syntax_error(cursor.peek() or "end of input")
    cursor.take("ROLE")
    grantees = [_name(cursor)]
    while cursor.take(","):
        cursor.take("ROLE")
        grantees.append(_name(cursor))
    option = cursor.take("WITH", "ADMIN", "OPTION")
    if cursor.peek():
        raise syntax_error(cursor.peek())
    if verb == "GRANT":
        return f"GRANT {', '.join(roles)} TO {', '.join(grantees)}{' WITH ADMIN OPTION' if option else ''}"
    return f"REVOKE {'ADMIN OPTION FOR ' if has_option else ''}{', '.join(roles)} FROM {', '.join(grantees)}"


def _name(cursor: Cursor) -> str:
    """A role's or user's name; that of a system-defined role has a colon, as in sys:monitor."""
    token = cursor.next()
    if token is None or token.kind not in ("word", "quoted"):
        raise syntax_error(token.text if token else "end of input")
    name = name_of(token)
    if cursor.take(":"):
        part = cursor.next()
        name += ":" + (name_of(part) if part else "")
    return quote_name(name)


def _without_role(tokens: list[Token]) -> list[Token]:
    """Without the word ROLE before a grantee."""
    result: list[Token] = []
    last = ""
    for token in tokens:
        if token.upper == "ROLE" and last in ("TO", "FROM", ","):
            continue
        if token.kind not in ("space", "comment"):
            last = token.upper or token.text
        result.append(token)
    return result

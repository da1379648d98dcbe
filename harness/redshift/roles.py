"""ALTER ROLE and DROP ROLE of roles that are granted, which in PostgreSQL have no owner.

In: the tokens of a statement. Out: SQL for PostgreSQL. Source: Database Developer Guide, "ALTER ROLE" and "DROP ROLE".
"""

from harness.redshift.plan import not_supported, syntax_error
from harness.redshift.tokens import Cursor, Token, code, quote_string


def alter_role(tokens: list[Token]) -> str:
    """ALTER ROLE name [WITH] RENAME TO new.

    Raises:
        Refusal: it is to have another owner or an external id.
    """
    cursor = Cursor(code(tokens), 2)
    name = cursor.name()
    cursor.take("WITH")
    if not name or not cursor.take("RENAME", "TO"):
        if cursor.peek() in ("OWNER", "EXTERNALID"):
            raise not_supported(f"ALTER ROLE … {cursor.peek()} is not supported by this stand-in")
        raise syntax_error(cursor.peek() or "end of input")
    new = cursor.name()
    if not new or cursor.peek():
        raise syntax_error(cursor.peek() or "end of input")
    return f"ALTER ROLE {name} RENAME TO {new}"


def drop_role(tokens: list[Token]) -> str:
    """DROP ROLE name [FORCE | RESTRICT]; with FORCE also while it is granted to others or has rights."""
    cursor = Cursor(code(tokens), 2)
    exists = cursor.take("IF", "EXISTS")
    name = cursor.name()
    forced = cursor.take("FORCE")
    if not forced:
        cursor.take("RESTRICT")
    if not name or cursor.peek():
        raise syntax_error(cursor.peek() or "end of input")
    arguments = f"{quote_string(name)}, {str(forced).lower()}, {str(exists).lower()}"
    return f"DO {quote_string(f'BEGIN PERFORM redshift_internal.drop_role({arguments}); END')}"

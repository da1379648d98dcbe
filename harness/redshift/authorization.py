"""As whom a session acts: the user that logged in, and whom SET SESSION AUTHORIZATION makes of it.

Every session of the backend is opened as the gateway's own user, who then becomes the client's, as PostgreSQL does not
know the client's password, and as only the gateway's may take each table's write lock (`locks`). What would bring the
gateway's user back is the client's own user here. Source: Database Developer Guide, "SET SESSION AUTHORIZATION".
"""

from dataclasses import replace

from harness.redshift.logins import Login
from harness.redshift.messages import Refusal
from harness.redshift.plan import Plan, not_supported
from harness.redshift.tokens import Cursor, code, quote_name, quote_string, tokenize

_REMEMBER = """
    INSERT INTO redshift_internal.session (pid, began_at, username)
    SELECT pid, backend_start, {} FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()
    ON CONFLICT (pid) DO UPDATE SET began_at = excluded.began_at, username = excluded.username"""


def act_as(user: str) -> str:
    """What makes a new session of the gateway's user one of another user's, and tells the system views whose it is."""
    return f"{_REMEMBER.format(quote_string(user))}; SET SESSION AUTHORIZATION {quote_name(user)}"


def of_login(plan: Plan, login: Login) -> Plan:
    """The plan as a session of this user may run it."""
    if login.is_gateways or plan.kind not in ("SET", "RESET", "DISCARD"):
        return plan
    cursor = Cursor(code(tokenize(plan.sql)), 1)
    if plan.kind == "DISCARD":
        words = "DISCARD ALL is not supported in the session of a user other than the gateway's"
        return replace(plan, refusal=not_supported(words)) if cursor.take("ALL") else plan
    scope = "LOCAL " if cursor.take("LOCAL") else ""
    if cursor.peek(2) == "AUTHORIZATION":
        cursor.take("SESSION")
    if not cursor.take("SESSION", "AUTHORIZATION"):
        return plan
    if plan.kind == "RESET" or cursor.take("DEFAULT"):
        return replace(plan, sql=f"SET {scope}SESSION AUTHORIZATION {quote_name(login.user)}")
    if not login.is_superuser:
        return replace(plan, refusal=Refusal("42501", "permission denied to set session authorization"))
    return plan

"""CREATE USER and ALTER USER as Redshift has them, for PostgreSQL's roles.

In: the tokens of the statement. Out: the same for PostgreSQL, without what only concerns a cluster: session timeouts,
identities of a provider. A password is kept as an MD5 hash, against which the gateway checks it (`logins`); what a user
sees of system tables is a setting of the role's. Source: Database Developer Guide, "CREATE USER", "ALTER USER".
"""

import re

from harness.redshift.connect import md5_hash
from harness.redshift.messages import Refusal
from harness.redshift.parameters import in_backend
from harness.redshift.plan import syntax_error
from harness.redshift.tokens import (
    Cursor,
    Token,
    code,
    is_number,
    name_of,
    quote_name,
    quote_string,
    value_of,
    whole_name,
)

_FLAGS = {
    "CREATEDB": "CREATEDB", "NOCREATEDB": "NOCREATEDB", "CREATEUSER": "SUPERUSER", "NOCREATEUSER": "NOSUPERUSER",
    "LOGIN": "LOGIN", "NOLOGIN": "NOLOGIN",
}  # fmt: skip
_PASSWORD = re.compile(r"""(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[^\s'"\\/@]{8,64}""")
_MD5 = re.compile(r"md5[0-9a-f]{32}", re.IGNORECASE)
_SHA256 = re.compile(r"sha256\|([^|]*)(\|.*)?", re.IGNORECASE | re.DOTALL)  # a password, or its digest and a salt
_SYSLOG = {"UNRESTRICTED": "SET redshift.syslog_access = 'unrestricted'", "RESTRICTED": "RESET redshift.syslog_access"}
SESSION_TIMEOUT_MIN_S, SESSION_TIMEOUT_MAX_S = 60, 1_728_000


def user(kind: str, tokens: list[Token]) -> list[str]:
    """CREATE USER or ALTER USER for PostgreSQL: the statement, and what is to follow it.

    Raises:
        Refusal: it is not written as Redshift has it, or the password is none that Redshift takes.
    """
    cursor = Cursor(code(tokens), 2)
    first = cursor.next()
    if first is None or first.kind not in ("word", "quoted"):
        raise syntax_error(first.text if first else "end of input")
    name = quote_name(name_of(first))
    if kind == "ALTER" and cursor.take("RESET", "SESSION", "TIMEOUT"):
        return [f"ALTER USER {name}"]
    if kind == "ALTER" and cursor.peek() in ("RENAME", "SET", "RESET"):
        return [f"ALTER USER {name} {' '.join(in_backend(token.text) or token.text for token in cursor.rest())}"]
    cursor.take("WITH")
    options, after = [], []
    while cursor.peek():
        if cursor.take("SYSLOG", "ACCESS"):
            after.append(f"ALTER ROLE {name} {_syslog_access(cursor)}")
        else:
            options += _option(cursor, whole_name(first))
        if kind == "ALTER":
            cursor.take(",")
    if kind == "CREATE" and not any(option.startswith("PASSWORD") for option in options):
        raise syntax_error("end of input")
    if "SUPERUSER" in options and "PASSWORD NULL" in options:
        raise Refusal("0A000", "cannot disable the password of a superuser")
    return [" ".join((kind, "USER", name, *options)), *after]


def _syslog_access(cursor: Cursor) -> str:
    token = cursor.next()
    if token is None or token.upper not in _SYSLOG:
        raise syntax_error(token.text if token else "end of input")
    return _SYSLOG[token.upper]


def _option(cursor: Cursor, user_name: str) -> list[str]:
    """One option for PostgreSQL; none if it is nothing there."""
    token = cursor.next()
    what = token.upper if token else ""
    if what in _FLAGS:
        return [_FLAGS[what]]
    if what == "PASSWORD":
        return [f"PASSWORD {_password(cursor, user_name)}"]
    if what == "IN" and cursor.take("GROUP"):
        return [f"IN GROUP {', '.join(_groups(cursor))}"]
    if what == "VALID" and cursor.take("UNTIL"):
        return [f"VALID UNTIL {_string(cursor).text}"]
    if what == "CONNECTION" and cursor.take("LIMIT"):
        return ["CONNECTION LIMIT -1" if cursor.take("UNLIMITED") else f"CONNECTION LIMIT {_number(cursor)}"]
    if what == "SESSION" and cursor.take("TIMEOUT"):
        if not SESSION_TIMEOUT_MIN_S <= _number(cursor) <= SESSION_TIMEOUT_MAX_S:
            words = f"session timeout must be between {SESSION_TIMEOUT_MIN_S} and {SESSION_TIMEOUT_MAX_S} seconds"
            raise Refusal("22023", words)
        return []
    if what == "EXTERNALID" and cursor.next():
        return []
    raise syntax_error(token.text if token else "end of input")


def _password(cursor: Cursor, user_name: str) -> str:
    if cursor.take("DISABLE"):
        return "NULL"
    value = value_of(_string(cursor))
    if _MD5.fullmatch(value):
        return quote_string(value.lower())
    if found := _SHA256.fullmatch(value):
        if found[2]:
            return "NULL"  # such a digest can be checked against no answer that drivers give to the gateway
        value = found[1]
    if not _PASSWORD.fullmatch(value):
        raise Refusal(
            "22023", "password must be 8 to 64 characters, with an uppercase letter, a lowercase letter and a digit",
            detail="It may have no space and none of ' \" \\ / and @.",
        )  # fmt: skip
    return quote_string(f"md5{md5_hash(user_name, value)}")


def _groups(cursor: Cursor) -> list[str]:
    groups = []
    while True:
        name = cursor.name()
        if name is None:
            raise syntax_error(cursor.peek() or "end of input")
        groups.append(name)
        if not cursor.take(","):
            return groups


def _string(cursor: Cursor) -> Token:
    token = cursor.next()
    if token is None or token.kind != "string":
        raise syntax_error(token.text if token else "end of input")
    return token


def _number(cursor: Cursor) -> int:
    token = cursor.next()
    if token is None or not is_number(token.text):
        raise syntax_error(token.text if token else "end of input")
    return int(token.text)

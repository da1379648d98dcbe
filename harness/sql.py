"""The harness's own database access: connections, and scripts cut into statements.

`connect_warehouse` is how the merge job and a user's client see the warehouse (through the stand-in's gateway);
`connect_backend` is for probes and accounting, which must not disturb what they measure.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, UsageError
from harness.stack.endpoints import Endpoints, Redshift

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

CONNECT_TIMEOUT_S = 10
# The server is being shut down, crashed, or is not up yet (PostgreSQL, appendix A: 57P01 to 57P05).
_AWAY_CODES = "57P"


class DatabaseAwayError(HarnessError):
    """A database could not be reached, or ended a connection."""


def first_line(error: Exception) -> str:
    """What a database said, without libpq's guesses at the reasons on the lines below it."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def told(doing: str, database: Redshift) -> Iterator[None]:
    """Say what psycopg2 raises in the block in one line: what was being done, where, and what the database said.

    Raises:
        DatabaseAwayError: the server ended the connection.
        HarnessError: it refused a statement.
    """
    import psycopg2

    try:
        yield
    except DatabaseAwayError as error:
        raise DatabaseAwayError(f"{doing}: {error}") from error
    except psycopg2.Error as error:
        if error.pgcode is None or error.pgcode.startswith(_AWAY_CODES):
            where = f"{database.host}:{database.port}"
            raise DatabaseAwayError(f"{doing}: {where} ended the connection: {first_line(error)}") from error
        raise HarnessError(f"{doing}: {first_line(error)}") from error


def connect(database: Redshift, application_name: str) -> "Connection":
    """A psycopg2 connection, checked against the stand-in's CA where there is one.

    Raises:
        DatabaseAwayError: no connection could be had.
    """
    import psycopg2

    try:
        return psycopg2.connect(
            host=database.host,
            port=database.port,
            dbname=database.database,
            user=database.user,
            password=database.password,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=application_name,
            sslmode="verify-full" if database.ca_file else "prefer",
            sslrootcert=database.ca_file or "",
        )
    except psycopg2.OperationalError as error:
        raise DatabaseAwayError(f"no connection to {database.host}:{database.port}: {first_line(error)}") from error


@contextmanager
def warehouse(endpoints: Endpoints, application_name: str = "nrt-merge") -> Iterator["Connection"]:
    """A connection to the warehouse, closed at the end of the block."""
    connection = connect(endpoints.redshift, application_name)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def backend(endpoints: Endpoints, application_name: str = "nrt-accounting") -> Iterator["Connection"]:
    """A connection to the PostgreSQL behind the stand-in, closed at the end of the block."""
    connection = connect(endpoints.postgres, application_name)
    try:
        yield connection
    finally:
        connection.close()


def statements(script: Path) -> list[str]:
    """The statements of a SQL script, without their semicolons and without empty ones.

    Raises:
        UsageError: the script cannot be read or does not end a string or comment it began.
    """
    from sqlglot import tokenize
    from sqlglot.errors import TokenError
    from sqlglot.tokens import TokenType

    try:
        text = script.read_text(encoding="utf-8")
        tokens = tokenize(text, read="redshift")
    except (OSError, UnicodeDecodeError, TokenError) as error:
        raise UsageError(f"{script}: {error}") from error
    found, first, last = [], None, None
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if first is not None and last is not None:
                found.append(text[first : last + 1])
            first = last = None
        else:
            first, last = token.start if first is None else first, token.end
    if first is not None and last is not None:
        found.append(text[first : last + 1])
    return found


def split_table(name: str) -> tuple[str, str]:
    """`stage.orders` as schema and table."""
    schema, _, table = name.partition(".")
    return schema, table

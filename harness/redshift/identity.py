"""Whose session it is, and what its two sides agreed on."""

from dataclasses import dataclass

from harness.redshift.logins import Login


@dataclass(frozen=True)
class Identity:
    """Whose session it is: the backend's process id, the user and the database.

    protocol: the version they agreed on. tolerant: an unknown statement goes to PostgreSQL, with a warning.
    """

    process_id: int
    login: Login
    database: str
    protocol: int = 0
    tolerant: bool = False

"""Temporary passwords: GetClusterCredentials of Redshift and GetCredentials of Redshift Serverless.

In: requests. Out: a user `IAM:name` and a password that the gateway takes until it expires. Knows nothing of HTTP.
Sources: Amazon Redshift API Reference, "GetClusterCredentials"; Redshift Serverless API Reference, "GetCredentials".
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.redshift.data_api.errors import ApiError, validation_error

PREFIX = "IAM:"
DURATIONS_S = (900, 3600)


@dataclass(frozen=True)
class TemporaryPassword:
    """A password and the time (`time.time()` seconds) from which on it is none."""

    password: str
    expires_at_s: float


class TemporaryCredentials:
    """The temporary passwords of the gateway's user; safe to use from several threads."""

    def __init__(self, user: str, database: str, clock: Callable[[], float] = time.time) -> None:
        self.user, self.database, self._clock = user, database, clock
        self._lock = threading.Lock()
        self._issued: list[TemporaryPassword] = []

    def passwords(self, login: str) -> list[str]:
        """The passwords that a login name may come with at this moment: none if it is no temporary one."""
        if login != PREFIX + self.user:
            return []
        with self._lock:
            self._issued = [issued for issued in self._issued if issued.expires_at_s > self._clock()]
            return [issued.password for issued in self._issued]

    def _issue(self, duration_s: int) -> TemporaryPassword:
        least, most = DURATIONS_S
        if not least <= duration_s <= most:
            raise validation_error(f"the duration has to be between {least} and {most} seconds, not {duration_s}")
        issued = TemporaryPassword(secrets.token_urlsafe(32), self._clock() + duration_s)
        with self._lock:
            self._issued.append(issued)
        return issued

    def _require_database(self, name: str | None) -> None:
        if name is not None and name != self.database:
            raise validation_error(f"database {name!r} does not exist here: this is {self.database!r}")

    def get_cluster_credentials(self, request: dict[str, Any]) -> dict[str, Any]:
        """`redshift` GetClusterCredentials; there is one database user here, and AutoCreate makes no other."""
        if request["DbUser"] != self.user:
            raise ApiError("UnsupportedOperation", f"the stand-in has one user, {self.user!r}: ask for that DbUser")
        self._require_database(request.get("DbName"))
        issued = self._issue(request.get("DurationSeconds", DURATIONS_S[0]))
        return {
            "DbUser": PREFIX + self.user,
            "DbPassword": issued.password,
            "Expiration": datetime.fromtimestamp(issued.expires_at_s, UTC),
        }

    def get_credentials(self, request: dict[str, Any]) -> dict[str, Any]:
        """`redshift-serverless` GetCredentials; the database user follows from the caller, here always the same."""
        if not (request.get("workgroupName") or request.get("customDomainName")):
            raise validation_error("workgroupName or customDomainName is required")
        self._require_database(request.get("dbName"))
        issued = self._issue(request.get("durationSeconds", DURATIONS_S[0]))
        expiration = datetime.fromtimestamp(issued.expires_at_s, UTC)
        return {
            "dbUser": PREFIX + self.user,
            "dbPassword": issued.password,
            "expiration": expiration,
            "nextRefreshTime": expiration,
        }

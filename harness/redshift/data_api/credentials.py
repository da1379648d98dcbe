"""Temporary passwords: GetClusterCredentials of Redshift and GetCredentials of Redshift Serverless.

In: requests. Out: a login name `IAM:user` (with AutoCreate `IAMA:user`) and a password that the gateway takes until it
expires. Knows nothing of HTTP. Sources: Amazon Redshift API Reference, "GetClusterCredentials"; Redshift Serverless API
Reference, "GetCredentials".
"""

import re
from datetime import UTC, datetime
from typing import Any

from harness.redshift.data_api.errors import ApiError, validation_error
from harness.redshift.logins import Logins, TemporaryPassword

PREFIX, CREATED_PREFIX = "IAM:", "IAMA:"
DURATIONS_S = (900, 3600)
_USER = re.compile(r"(?!(?i:public)$)[A-Za-z][A-Za-z0-9_+.@-]{0,63}")


class TemporaryCredentials:
    """What asks the logins of a gateway for temporary passwords."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    def _issue(self, user: str, duration_s: int) -> TemporaryPassword:
        least, most = DURATIONS_S
        if not least <= duration_s <= most:
            raise validation_error(f"the duration has to be between {least} and {most} seconds, not {duration_s}")
        return self._logins.issue(user, duration_s)

    def _require_database(self, name: str | None) -> None:
        if name is not None and name != self._logins.database:
            raise validation_error(f"database {name!r} does not exist here: this is {self._logins.database!r}")

    def _require_groups(self, user: str, groups: list[str]) -> None:
        """On AWS the user joins them for the session; PostgreSQL has no such membership."""
        if missing := sorted(set(groups) - self._logins.groups(user)):
            words = f"the stand-in lets no user join a group for one session: ALTER GROUP {missing[0]} ADD USER {user}"
            raise ApiError("UnsupportedOperation", words)

    def get_cluster_credentials(self, request: dict[str, Any]) -> dict[str, Any]:
        """`redshift` GetClusterCredentials; a user that is not there is made with AutoCreate, or cannot log in.

        Raises:
            ApiError: the user, database or duration cannot be, or it asks for a group that the user is not in.
        """
        user, creates = request["DbUser"], request.get("AutoCreate", False)
        if not _USER.fullmatch(user):
            raise validation_error(f"{user!r} is no name for a database user")
        self._require_database(request.get("DbName"))
        if creates:
            self._logins.create(user)
        self._require_groups(user, request.get("DbGroups", []))
        issued = self._issue(user, request.get("DurationSeconds", DURATIONS_S[0]))
        return {
            "DbUser": (CREATED_PREFIX if creates else PREFIX) + user,
            "DbPassword": issued.password,
            "Expiration": datetime.fromtimestamp(issued.expires_at_s, UTC),
        }

    def get_credentials(self, request: dict[str, Any]) -> dict[str, Any]:
        """`redshift-serverless` GetCredentials; the database user follows from the caller, here always the same."""
        if not (request.get("workgroupName") or request.get("customDomainName")):
            raise validation_error("workgroupName or customDomainName is required")
        self._require_database(request.get("dbName"))
        issued = self._issue(self._logins.user, request.get("durationSeconds", DURATIONS_S[0]))
        expiration = datetime.fromtimestamp(issued.expires_at_s, UTC)
        return {
            "dbUser": PREFIX + issued.user,
            "dbPassword": issued.password,
            "expiration": expiration,
            "nextRefreshTime": expiration,
        }

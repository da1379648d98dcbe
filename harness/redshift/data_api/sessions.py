"""Connections of the Data API to the gateway: one a job, or one that is kept for the jobs of a session.

In: a request. Out: a connection on loopback, with all that the gateway does for any client. A kept one closes when
nobody has used it for as long as its request said. Source: Management Guide, "Session reuse" of the Data API.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.redshift.data_api.errors import ApiError, not_found, validation_error
from harness.redshift.data_api.job import Job, utc

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

SESSIONS_MAX = 500

Connect = Callable[[dict[str, Any]], "Connection"]


@dataclass
class KeptSession:
    """A session that outlives its job. busy: the job that uses it, if any."""

    request: dict[str, Any]
    keep_alive_s: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    connection: "Connection | None" = None
    busy: str | None = None
    created_at_s: float = field(default_factory=time.time)
    updated_at_s: float = field(default_factory=time.time)
    timer: threading.Timer | None = None

    def listed(self) -> dict[str, Any]:
        """Its entry in the answer of ListSessions."""
        return {
            "SessionId": self.id,
            "Status": "BUSY" if self.busy else "AVAILABLE",
            "CreatedAt": utc(self.created_at_s),
            "UpdatedAt": utc(self.updated_at_s),
            "Database": self.request.get("Database"),
            "DbUser": self.request.get("DbUser"),
            "ClusterIdentifier": self.request.get("ClusterIdentifier"),
            "WorkgroupName": self.request.get("WorkgroupName"),
            "SessionAliveSeconds": self.keep_alive_s,
            "CurrentStatementId": self.busy,
        }


class Sessions:
    """The kept sessions, and how a job gets its connection; safe to use from several threads."""

    def __init__(self, connect: Connect, sessions_max: int = SESSIONS_MAX) -> None:
        self._connect, self._sessions_max = connect, sessions_max
        self._lock = threading.Lock()
        self._kept: dict[str, KeptSession] = {}

    def reserve(self, job: Job) -> None:
        """Give a job the session that its request names or asks for.

        Raises:
            ApiError: there is no such session, it is busy, or there are too many.
        """
        keep_alive_s = job.request.get("SessionKeepAliveSeconds")
        with self._lock:
            if identifier := job.request.get("SessionId"):
                session = self._kept.get(identifier)
                if session is None:
                    raise not_found(f"Session {identifier} is not available")
                if session.busy:
                    raise validation_error(f"Session {identifier} is busy with statement {session.busy}")
                session.keep_alive_s = session.keep_alive_s if keep_alive_s is None else keep_alive_s
                job.request = session.request | job.request
            elif keep_alive_s:
                if len(self._kept) >= self._sessions_max:
                    raise ApiError("ActiveSessionsExceededException", f"more than {self._sessions_max} sessions")
                session = KeptSession(job.request, keep_alive_s)
                self._kept[session.id] = session
            else:
                return
            if session.timer:
                session.timer.cancel()
            session.busy, job.session_id = job.id, session.id

    @contextmanager
    def connection(self, job: Job) -> Iterator["Connection"]:
        """The connection that a job runs on; closed afterwards unless its session is kept.

        Raises:
            psycopg2.OperationalError: the gateway refused it.
        """
        session = self._kept.get(job.session_id or "")
        if session is None:
            connection = self._connect(job.request)
            try:
                yield connection
            finally:
                connection.close()
            return
        if session.connection is None:
            session.connection = self._connect(session.request)
        yield session.connection

    def release(self, job: Job) -> None:
        """The job has ended: its session waits for the next one, if it is kept and still there."""
        with self._lock:
            session = self._kept.get(job.session_id or "")
            if session is None:
                return
            session.busy, session.updated_at_s = None, time.time()
            if session.connection is None or session.connection.closed or not session.keep_alive_s:
                self._forget(session)
                return
            session.timer = threading.Timer(session.keep_alive_s, self._expire, (session,))
            session.timer.daemon = True
            session.timer.start()

    def _expire(self, session: KeptSession) -> None:
        with self._lock:
            if session.busy is None:
                self._forget(session)

    def _forget(self, session: KeptSession) -> None:
        self._kept.pop(session.id, None)
        if session.timer:
            session.timer.cancel()
        if session.connection is not None:
            session.connection.close()

    def all(self) -> list[KeptSession]:
        """The kept sessions, the newest first."""
        with self._lock:
            return sorted(self._kept.values(), key=lambda session: -session.created_at_s)

    def close(self) -> None:
        with self._lock:
            for session in list(self._kept.values()):
                self._forget(session)

"""The write locks of one session's transaction: asked for in its pipeline, before anything that takes a snapshot.

In: the tables that a statement writes to. Out: LOCK statements among the client's own messages, and how long they had
to be waited for. PostgreSQL lets only those lock a table who may change or delete its rows, Redshift whoever writes to
it, with INSERT alone, too: so the gateway's own user takes the lock for all others, and the statement itself tells
them if they may not write. Knows nothing of protocols.
"""

import time
from collections.abc import Iterable

from harness.redshift.backend import Backend, Statement
from harness.redshift.exchanges import BackendError, Skipped
from harness.redshift.tokens import quote_name

LOCK = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"
_OWN_SCHEMA = '"$user"'


class WriteLocks:
    """Asks for locks and waits for them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._asked_s: float | None = None  # when, while they may still be waited for
        self._waited_s = 0.0  # since it was last told

    async def ask(self, tables: Iterable[str]) -> None:
        """Ask for the write locks of tables, whose names are quoted for SQL; they are held to the transaction's end."""
        locks = [LOCK.format(table) for table in tables]
        if user := self._backend.acts_as:
            locks = await self._as_gateway(locks, user)
        if self._asked_s is None:
            self._asked_s = time.monotonic()
        self._backend.send_hidden(*locks)

    async def _as_gateway(self, locks: list[str], user: str) -> list[str]:
        """The statements with the gateway's user taking the locks, which finds the tables where this user does."""
        try:
            ((path,),) = await self._backend.run(Statement("SHOW search_path"))
        except (BackendError, Skipped):  # the transaction had failed before, as the statement will say
            return locks
        found, back = [], []
        if path and _OWN_SCHEMA in path:
            found = [f"SET LOCAL search_path = {path.replace(_OWN_SCHEMA, quote_name(user))}"]
            back = [f"SET LOCAL search_path = {path}"]
        as_user = f"SET LOCAL SESSION AUTHORIZATION {quote_name(user)}"
        return ["SET LOCAL SESSION AUTHORIZATION DEFAULT", *found, *locks, *back, as_user]

    async def held(self) -> None:
        """Wait until what was sent is done, the locks that were asked for with it.

        Drivers that prepare a statement first wait for its lock then, long before they have it executed.
        """
        await self._backend.drained()
        if self._asked_s is not None:
            self._waited_s += time.monotonic() - self._asked_s
            self._asked_s = None

    def waited_s(self) -> float:
        """How long locks were waited for since this was last asked."""
        waited_s, self._waited_s = self._waited_s, 0.0
        return waited_s

"""The write locks of one session's transaction: asked for in its pipeline, before anything that takes a snapshot.

In: the tables that a statement writes to. Out: LOCK statements among the client's own messages, and how long they had
to be waited for. Knows nothing of protocols.
"""

import time
from collections.abc import Iterable

from harness.redshift.backend import Backend

LOCK = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"


class WriteLocks:
    """Asks for locks and waits for them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._asked_s: float | None = None  # when, while they may still be waited for
        self._waited_s = 0.0  # since it was last told

    def ask(self, tables: Iterable[str]) -> None:
        """Ask for the write locks of tables, whose names are quoted for SQL; they are held to the transaction's end."""
        if self._asked_s is None:
            self._asked_s = time.monotonic()
        self._backend.send_hidden(*(LOCK.format(table) for table in tables))

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

"""What the gateway does itself for a client, so that the client's cancel request reaches it.

In: a coroutine. Out: its outcome, or Redshift's error for a statement that was canceled.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from harness.redshift.messages import Refusal

_Done = TypeVar("_Done")


class Cancellable:
    """One piece of work at a time, which another task may call off."""

    def __init__(self) -> None:
        self._doing: asyncio.Future[Any] | None = None
        self._asked = False

    async def run(self, work: Coroutine[object, object, _Done]) -> _Done:
        """The outcome of the work.

        Raises:
            Refusal: the client asked to cancel it.
        """
        doing: asyncio.Future[_Done] = asyncio.ensure_future(work)
        self._doing = doing
        try:
            return await doing
        except asyncio.CancelledError:
            if self._asked:
                raise Refusal("57014", "canceling statement due to user request") from None
            doing.cancel()
            raise
        finally:
            self._doing, self._asked = None, False

    def cancel(self) -> None:
        """Call off what is under way, if anything is."""
        if self._doing is not None:
            self._asked = True
            self._doing.cancel()

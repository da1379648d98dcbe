"""What a client sends, message by message: each is handled when those before it are, some in the call that brings them.

In: the client's stream. Out: calls of its session. A message that needs no waiting, while none waits, is relayed at
once; any other waits for the task that handles one after the other.
"""

import asyncio
from collections import deque
from typing import Any

from harness.redshift import messages as wire
from harness.redshift.session import Session
from harness.redshift.streams import DirectReader

WAITING_MAX_BYTES = 1 << 20
_TERMINATE = ord("X")


class Inbox:
    """A client's messages. `handle_all` must run for as long as they are to be handled."""

    def __init__(self, session: Session, reader: DirectReader, writer: asyncio.StreamWriter) -> None:
        self._session, self._reader = session, reader
        self._reading: Any = writer.transport  # of both directions, which its type does not say
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._waiting_bytes = 0
        self._is_paused = self._is_over = False
        self._failure: Exception | None = None
        self._more: asyncio.Future[None] | None = None  # while none is being handled

    async def handle_all(self) -> None:
        """Handle what comes until the client leaves.

        Raises:
            ProtocolError: a message is malformed or does not belong there.
            OSError: the connection failed.
        """
        await self._reader.give(self._take, self._over)
        while not self._is_over or self._waiting:
            if not self._waiting:
                self._more = asyncio.get_running_loop().create_future()
                await self._more
                continue
            kind, body = self._waiting.popleft()
            self._waiting_bytes -= len(body)
            if self._is_paused and self._waiting_bytes <= WAITING_MAX_BYTES:
                self._is_paused = False
                self._reading.resume_reading()
            if kind == _TERMINATE:
                return
            await self._session.handle(kind, body)
        if self._failure:
            raise self._failure

    def _take(self, data: bytes | bytearray) -> int:
        """Take the complete messages; the offset behind them."""
        at = 0
        while len(data) - at >= wire.HEADER_BYTES:
            kind, size_bytes = wire.header(data, at)
            end = at + 1 + size_bytes
            if end > len(data):
                break
            body = bytes(data[at + wire.HEADER_BYTES : end])
            if self._more is None or not self._session.relay_at_once(kind, body):
                self._waiting.append((kind, body))
                self._waiting_bytes += len(body)
                self._wake()
            at = end
        if self._waiting_bytes > WAITING_MAX_BYTES and not self._is_paused:
            self._is_paused = True
            self._reading.pause_reading()
        return at

    def _over(self, why: Exception | None) -> None:
        self._is_over, self._failure = True, why
        self._wake()

    def _wake(self) -> None:
        if self._more and not self._more.done():  # it is when the task was cancelled, as where the backend was lost
            self._more.set_result(None)
        self._more = None

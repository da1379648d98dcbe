"""Streams that hand on what comes in the very call in which the loop has it, without a task that waits for it.

In: an address. Out: readers and writers as asyncio's own. Waking a task for each piece takes longer than relaying it,
which is why the standard library's readers are not enough.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

READER_LIMIT_BYTES = 1 << 20
_ALL_BYTES = 1 << 40


class DirectReader(asyncio.StreamReader):
    """A reader of which one may also ask that all be given to a function as it comes."""

    def __init__(self) -> None:
        super().__init__(READER_LIMIT_BYTES, asyncio.get_running_loop())
        self._take: Callable[[bytes | bytearray], int] | None = None
        self._rest = bytearray()  # of what was given, what could not be taken yet
        self._when_over: Callable[[Exception | None], None] | None = None

    async def give(
        self, take: Callable[[bytes | bytearray], int], when_over: Callable[[Exception | None], None]
    ) -> None:
        """Have `take` called with all that comes; it says how much it took, and gets the rest again with what follows.

        `when_over` is called once nothing more will come: with None at the stream's end, or with why, which may be what
        `take` raised. Returns after the first piece.

        Raises:
            OSError: the connection failed already.
            Exception: what `take` raised of the first piece.
        """
        data = await self.read(_ALL_BYTES)  # all that is there, so that nothing stays behind
        self._give(take, data)
        if self.at_eof():
            when_over(None)
        else:
            self._take, self._when_over = take, when_over

    def _give(self, take: Callable[[bytes | bytearray], int], data: bytes) -> None:
        if self._rest:
            self._rest += data
            del self._rest[: take(self._rest)]
        elif (done := take(data)) < len(data):
            self._rest += memoryview(data)[done:]

    def feed_data(self, data: Any) -> None:
        if self._take is None:
            super().feed_data(data)
            return
        try:
            self._give(self._take, data)
        except Exception as error:  # noqa: BLE001 - told to who asked
            self._take = None
            self._over(error)

    def feed_eof(self) -> None:
        super().feed_eof()
        self._over(None)

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._over(exc)

    def _over(self, why: Exception | None) -> None:
        if self._when_over:
            self._when_over(why)
            self._when_over = None


def _protocol(
    accept: Callable[[DirectReader, asyncio.StreamWriter], Awaitable[None]] | None = None,
) -> tuple[DirectReader, asyncio.StreamReaderProtocol]:
    reader = DirectReader()
    return reader, asyncio.StreamReaderProtocol(reader, accept, asyncio.get_running_loop())  # type: ignore[arg-type]


async def start_server(
    accept: Callable[[DirectReader, asyncio.StreamWriter], Awaitable[None]], host: str, port: int
) -> asyncio.Server:
    """Listen, as `asyncio.start_server`.

    Raises:
        OSError: the address cannot be had.
    """
    return await asyncio.get_running_loop().create_server(lambda: _protocol(accept)[1], host, port)


async def open_connection(host: str, port: int) -> tuple[DirectReader, asyncio.StreamWriter]:
    """Connect, as `asyncio.open_connection`.

    Raises:
        OSError: it cannot be reached.
    """
    loop = asyncio.get_running_loop()
    reader, protocol = _protocol()
    transport, _ = await loop.create_connection(lambda: protocol, host, port)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

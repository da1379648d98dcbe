"""A backend is read from no faster than its client takes what is relayed to it."""

import asyncio
from typing import Any

import pytest

from harness.redshift import backend
from harness.redshift import messages as wire
from harness.redshift.backend import Backend, BackendLost
from harness.redshift.connect import Opened
from harness.redshift.long_names import LongNames
from harness.redshift.querylog import QueryLog
from harness.redshift.relay import Relay
from harness.redshift.streams import DirectReader


class Peer:
    """A stream without a socket: what it was sent, whether it is read from, and when it has taken all."""

    def __init__(self) -> None:
        self.transport = self
        self.sent = 0
        self.reads = True
        self.took_all = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.sent += len(data)

    def get_write_buffer_size(self) -> int:
        return 0 if self.took_all.is_set() else self.sent

    async def drain(self) -> None:
        await self.took_all.wait()

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


async def _settled() -> None:
    for _ in range(5):  # rounds of the loop, in which every task goes on as far as it can
        await asyncio.sleep(0)


def test_what_the_client_does_not_take_is_not_read() -> None:
    async def run() -> None:
        reader, postgres, client = DirectReader(), Peer(), Peer()
        writer: Any = postgres
        to_client: Any = client
        relay = Relay(QueryLog(None), bytes, LongNames(), "awsuser", {}, 0)
        pump = asyncio.create_task(Backend(Opened(reader, writer, {}, b""), "awsuser", relay).pump(to_client))
        row = wire.message(b"D", b"." * (backend.CONGESTED_BYTES // 2))
        for still_reads in (True, False):  # two are more than may wait
            reader.feed_data(row)
            await _settled()
            assert postgres.reads is still_reads
        client.took_all.set()
        await _settled()
        assert postgres.reads
        reader.feed_eof()
        with pytest.raises(BackendLost):
            await pump

    asyncio.run(run())


class Ended(Peer):
    """A stream that the other side has closed, to which uvloop lets nobody write."""

    def is_closing(self) -> bool:
        return True

    def write(self, data: bytes) -> None:
        raise RuntimeError(f"the handler is closed: {data!r}")

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None:
        assert self.closed


def test_a_backend_that_has_ended_is_closed_without_a_word() -> None:
    async def run() -> None:
        writer: Any = Ended()
        relay = Relay(QueryLog(None), bytes, LongNames(), "awsuser", {}, 0)
        await Backend(Opened(DirectReader(), writer, {}, b""), "awsuser", relay).close()
        assert writer.closed

    asyncio.run(run())

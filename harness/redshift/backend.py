"""One connection to PostgreSQL on behalf of one client: what is sent to it, and the gateway's own statements.

In: bytes for the backend with the exchanges they open. Out: results of the gateway's own statements; what is the
client's goes through a `Relay`. Knows nothing of SQL.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from harness.redshift import connect
from harness.redshift import messages as wire
from harness.redshift.connect import Opened
from harness.redshift.exchanges import Answer, Exchange, Skipped
from harness.redshift.messages import Refusal
from harness.redshift.querylog import Record
from harness.redshift.relay import Relay

CONGESTED_BYTES = 1 << 16
COPY_CHUNK_BYTES = 1 << 17
_STATEMENT, _PORTAL = b"_redshift_gateway", b"_redshift_gateway"
_RAISE = "DO 'BEGIN RAISE EXCEPTION ''refused by the gateway''; END'"
_OPEN_KINDS, _CLOSE_KINDS = "CPBE", "CC"


class BackendLost(Exception):
    """The connection to PostgreSQL ended."""


@dataclass(frozen=True)
class Statement:
    """One of the gateway's own statements: SQL and text parameters."""

    sql: str
    parameters: Sequence[str | None] = ()


class Backend:
    """A started backend session, opened as user `opener`. `pump` must run for as long as it is used."""

    def __init__(self, opened: Opened, opener: str, relay: Relay) -> None:
        self._reader, self._writer = opened.reader, opened.writer
        self._reading: Any = opened.writer.transport  # of both directions, which its type does not say
        self._relay, self.user = relay, opener
        self.queue, self.names, self.filter_error, self.protocol = (
            relay.queue, relay.names, relay.filter_error, relay.protocol
        )  # fmt: skip
        self._resuming: asyncio.Task[None] | None = None

    @property
    def status(self) -> str:
        """The transaction's as of the last ReadyForQuery: I, T or E."""
        return self._relay.status

    @property
    def acts_as(self) -> str | None:
        """The user whose session it is, if that is not who opened it: as of the last ReadyForQuery."""
        return None if self._relay.session_user == self.user else self._relay.session_user

    def send(self, data: bytes, *exchanges: Exchange) -> None:
        """Send bytes that open the given exchanges."""
        for exchange in exchanges:
            self.queue.append(exchange)
        self._writer.write(data)

    def send_hidden(self, *statements: str) -> None:
        """Run statements in the client's pipeline; it learns of them only if they fail."""
        for sql in statements:
            data = _open_statement(sql, ()) + _CLOSE_STATEMENT
            self.send(data, *(Exchange(kind, hidden=True) for kind in _OPEN_KINDS + _CLOSE_KINDS))

    def refuse(self, refusal: Refusal, record: Record) -> None:
        """Raise an error in the client's pipeline, whose transaction PostgreSQL then ends; it sees `refusal`."""
        data = wire.parse(b"", _RAISE) + wire.bind(b"", b"") + wire.execute(b"") + wire.FLUSH
        opened = (
            Exchange(kind, hidden=True, refusal=refusal, record=record if kind == "E" else None) for kind in "PBE"
        )
        self.send(data, *opened)

    async def run(self, statement: Statement) -> list[list[str | None]]:
        """Run one of the gateway's own statements in the client's pipeline; its rows as text.

        Raises:
            BackendError: PostgreSQL refused it; the backend now ignores all up to the next Sync.
            Skipped: an earlier message of the pipeline failed.
        """
        answer = self._start(statement, Answer(self._future()))
        await self._finished(answer)
        return answer.rows

    def _start(self, statement: Statement, answer: Answer) -> Answer:
        if self.queue.failed_until_sync:
            raise Skipped
        data = _open_statement(statement.sql, statement.parameters) + wire.FLUSH
        self.send(data, *(Exchange(kind, answer=answer) for kind in _OPEN_KINDS))
        return answer

    async def _finished(self, answer: Answer) -> None:
        await answer.done
        self.send(_CLOSE_STATEMENT, *(Exchange(kind, answer=answer) for kind in _CLOSE_KINDS))

    async def copy_in(self, sql: str, chunks: AsyncIterator[memoryview | bytes]) -> int:
        """COPY … FROM STDIN in the client's pipeline; the rows PostgreSQL counted.

        Raises:
            BackendError, Skipped: as `run`.
            Exception: what `chunks` raises, after the COPY was called off.
        """
        answer = self._start(Statement(sql), Answer(self._future(), copy_ready=self._future()))
        assert answer.copy_ready is not None
        await answer.copy_ready
        try:
            async for chunk in chunks:
                if answer.done.done():
                    break
                self._send_copy_data(chunk)
                await self._writer.drain()
        except BaseException:
            self._writer.write(wire.message(b"f", wire.text("the stand-in called the COPY off")) + wire.FLUSH)
            await asyncio.wait([answer.done])
            answer.done.exception()
            raise
        self._writer.write(wire.message(b"c") + wire.FLUSH)
        await self._finished(answer)
        return int(answer.tag.rpartition(" ")[2])

    def _send_copy_data(self, chunk: memoryview | bytes) -> None:
        view = memoryview(chunk)
        for at in range(0, len(view), COPY_CHUNK_BYTES):
            part = view[at : at + COPY_CHUNK_BYTES]
            self._writer.write(b"d" + struct.pack("!I", len(part) + 4))
            self._writer.write(part)

    async def copy_out(self, sql: str, on_data: Callable[[memoryview], object]) -> int:
        """COPY … TO STDOUT in the client's pipeline; the rows PostgreSQL counted.

        Raises:
            BackendError, Skipped: as `run`.
        """
        answer = self._start(Statement(sql), Answer(self._future(), on_copy_data=on_data))
        await self._finished(answer)
        return int(answer.tag.rpartition(" ")[2])

    async def describe(self, sql: str) -> bytes:
        """The RowDescription of a query; nothing is run.

        Raises:
            BackendError, Skipped: as `run`.
        """
        if self.queue.failed_until_sync:
            raise Skipped
        answer = Answer(self._future())
        close = wire.close(b"S", _STATEMENT)
        data = (
            close + wire.parse(_STATEMENT, sql) + wire.message(b"D", b"S" + _STATEMENT + b"\x00") + close + wire.FLUSH
        )
        self.send(data, *(Exchange(kind, answer=answer) for kind in "CPDC"))
        await answer.done
        return answer.description

    async def describe_for_client(self, body: bytes) -> Answer:
        """What PostgreSQL answers to the client's Describe.

        Raises:
            BackendError, Skipped: as `run`.
        """
        if self.queue.failed_until_sync:
            raise Skipped
        answer = Answer(self._future())
        self.send(wire.message(b"D", body) + wire.FLUSH, Exchange("D", answer=answer))
        await answer.done
        return answer

    async def drained(self) -> None:
        """Return when the backend has answered all that was sent."""
        if self.queue.front:
            self._writer.write(wire.FLUSH)
            await self.queue.drained()

    async def simple(self, sql: str, exchange: Exchange) -> str:
        """Send a simple query and return the transaction status after it (I, T or E)."""
        exchange.ready = self._future()
        self.send(wire.query(sql), exchange)
        return await exchange.ready

    async def sync(self, *, hide_ready: bool) -> str:
        """Send Sync and return the transaction status after it."""
        exchange = Exchange("S", hide_ready=hide_ready, ready=self._future())
        self.send(wire.SYNC, exchange)
        assert exchange.ready is not None
        return await exchange.ready

    async def close(self) -> None:
        if self._resuming:
            self._resuming.cancel()
        if not self._writer.is_closing():  # uvloop takes nothing for a transport that the other side has ended
            self._writer.write(wire.TERMINATE)
        await connect.close(self._writer)

    @staticmethod
    def _future() -> asyncio.Future:  # type: ignore[type-arg]
        return asyncio.get_running_loop().create_future()

    async def pump(self, client: asyncio.StreamWriter) -> None:
        """Relay the backend's answers until it ends the connection.

        Raises:
            BackendLost: it did.
        """
        ended = self._future()

        def take(data: bytes | bytearray) -> int:
            done = self._relay.take(data, client)
            if client.transport.get_write_buffer_size() > CONGESTED_BYTES:
                self._reading.pause_reading()
                self._resuming = asyncio.create_task(self._resume(client))
            return done

        def when_over(why: Exception | None) -> None:
            if not ended.done():
                ended.set_exception(why or BackendLost())

        try:
            await self._reader.give(take, when_over)
            await ended
        finally:
            self._relay.lost(BackendLost())

    async def _resume(self, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # who reads from the client hears of it, too
            await client.drain()
        self._reading.resume_reading()


_CLOSE_STATEMENT = wire.close(b"P", _PORTAL) + wire.close(b"S", _STATEMENT)


def _open_statement(sql: str, parameters: Sequence[str | None]) -> bytes:
    return b"".join((
        wire.close(b"S", _STATEMENT),  # left over if it failed before
        wire.parse(_STATEMENT, sql),
        wire.bind(_PORTAL, _STATEMENT, parameters),
        wire.execute(_PORTAL),
    ))  # fmt: skip

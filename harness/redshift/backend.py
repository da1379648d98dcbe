"""One connection to PostgreSQL on behalf of one client: relays the client's answers, keeps the gateway's own.

In: bytes for the backend with the exchanges they open. Out: the client's bytes, through a writer, untouched wherever
that is possible; results of the gateway's own statements. Knows nothing of SQL.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.redshift import connect, result_types
from harness.redshift import messages as wire
from harness.redshift.connect import Opened
from harness.redshift.exchanges import Answer, BackendError, Exchange, ExchangeQueue, Skipped
from harness.redshift.long_names import LongNames
from harness.redshift.messages import Refusal
from harness.redshift.querylog import QueryLog, Record
from harness.redshift.result_types import Shape
from harness.redshift.scaled import NumericOverflow

READ_SIZE_BYTES = 1 << 18
COPY_CHUNK_BYTES = 1 << 17
OVERFLOW = Refusal("22003", "Numeric data overflow (result precision)")
_STATEMENT, _PORTAL = b"_redshift_gateway", b"_redshift_gateway"
_RAISE = "DO 'BEGIN RAISE EXCEPTION ''refused by the gateway''; END'"
_OPEN_KINDS, _CLOSE_KINDS = "CPBE", "CC"
_D, _C, _Z, _E, _T = b"DCZET"
_COMPLETES = {ord("1"): "P", ord("2"): "B", ord("3"): "C", ord("n"): "D", ord("T"): "D", ord("I"): "E", ord("s"): "E"}
ErrorFilter = Callable[[bytes], bytes]


class BackendLost(Exception):
    """The connection to PostgreSQL ended."""


@dataclass(frozen=True)
class Statement:
    """One of the gateway's own statements: SQL and text parameters."""

    sql: str
    parameters: Sequence[str | None] = ()


class Backend:
    """A started backend session. `pump` must run for as long as it is used."""

    def __init__(self, opened: Opened, log: QueryLog, filter_error: ErrorFilter, names: LongNames) -> None:
        self._reader, self._writer = opened.reader, opened.writer
        self._log, self.filter_error, self.names = log, filter_error, names
        self.queue = ExchangeQueue()
        self.status = "I"
        self.hidden_parameters: dict[bytes, bytes] = {}
        self.user = self._session_user = ""  # who opened it, and whose it is at the moment
        self.protocol = 0  # version 1 and later describe columns with their origin, 2 has numbers in binary

    @property
    def acts_as(self) -> str | None:
        """The user whose session it is, if that is not who opened it: as of the last ReadyForQuery."""
        return None if self._session_user == self.user else self._session_user

    def is_of(self, opener: str, parameters: Mapping[str, str]) -> None:
        """Who opened the session, and what it reported."""
        self.user, self._session_user = opener, parameters.get("session_authorization", opener)

    # --- sending

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
        self._writer.write(wire.TERMINATE)
        await connect.close(self._writer)

    @staticmethod
    def _future() -> asyncio.Future:  # type: ignore[type-arg]
        return asyncio.get_running_loop().create_future()

    # --- receiving

    async def pump(self, client: asyncio.StreamWriter) -> None:
        """Relay the backend's answers until it ends the connection.

        Raises:
            BackendLost: it did.
        """
        buffer = bytearray()
        try:
            while data := await self._reader.read(READ_SIZE_BYTES):
                buffer += data
                done = self._relay(buffer, client)
                del buffer[:done]
                await client.drain()
        finally:
            for exchange in self.queue.abandon(BackendLost()):
                self._finish(exchange, "the connection was lost")
        raise BackendLost

    def _relay(self, buffer: bytearray, client: asyncio.StreamWriter) -> int:
        """Handle the complete messages of the buffer; the offset behind them."""
        at = span = 0
        available = len(buffer)
        while available - at >= 5:
            kind = buffer[at]
            end = at + 1 + int.from_bytes(buffer[at + 1 : at + 5], "big")
            if end > available:
                break
            front = self.queue.front
            if kind == _D and front and not front.answer and not front.hidden:
                front.rows += 1
                front.size_bytes += end - at
                if front.writers is None:
                    front.writers = front.shape.writers if front.shape else {}
                replacement = self._row(front, buffer, at, end) if front.writers else None
            else:
                replacement = self._handle(kind, front, buffer, at, end)
            if replacement is not None:
                if at > span:
                    client.write(bytes(buffer[span:at]))
                if replacement:
                    client.write(replacement)
                span = end
            at = end
        if at > span:
            client.write(bytes(buffer[span:at]))
        return at

    def _handle(self, kind: int, front: Exchange | None, buffer: bytearray, at: int, end: int) -> bytes | None:
        """What the client gets instead of this message; None: the message itself."""
        if kind == _E:
            return self._on_error(front, bytes(buffer[at + 5 : end]))
        if kind == _Z:
            return self._on_ready(chr(buffer[at + 5]))
        if kind == ord("S"):
            name, _, value = bytes(buffer[at + 5 : end]).partition(b"\x00")
            if name == b"session_authorization":
                self._session_user = value[:-1].decode()
            shown = self.hidden_parameters.get(name) or self.names.in_text(value[:-1])
            return wire.message(b"S", name + b"\x00" + shown + b"\x00")
        if front is None or kind in b"NA":
            if front and front.hide_tags_after is not None and b"\x00C25P01\x00" in buffer[at:end]:
                return b""  # the gateway's own COMMIT outside a transaction
            if front and (front.hidden or front.answer):
                return b""
            return wire.message(b"N", self.names.in_text(bytes(buffer[at + 5 : end]))) if kind == ord("N") else None
        if front.answer:
            self._on_own(kind, front, front.answer, buffer, at, end)
            return b""
        return self._on_client(kind, front, buffer, at, end)

    def _on_client(self, kind: int, front: Exchange, buffer: bytearray, at: int, end: int) -> bytes | None:
        hidden = front.hidden
        if kind == _T and not hidden:
            return self._describe(front, bytes(buffer[at:end]))
        if kind == _C:
            front.tags += 1
            hidden = hidden or front.tags <= front.hide_tags_before
            hidden = hidden or (front.hide_tags_after is not None and front.tags > front.hide_tags_after)
            if not hidden:
                front.rows = max(front.rows, _tag_count(buffer[at + 5 : end - 1]))
            if front.kind == "E":
                self._finish(self.queue.pop())
        elif _COMPLETES.get(kind) == front.kind:
            self._finish(self.queue.pop())
        return b"" if hidden else None

    def _describe(self, front: Exchange, message: bytes) -> bytes | None:
        """A result's columns: as Redshift numbers their types; what is to be done with its rows is kept."""
        body = message[5:]
        whole = self.names.in_columns(body)
        message = message if whole is body else wire.message(b"T", whole)
        changed, forms = result_types.described(message, self.protocol) or (None if whole is body else message, {})
        if front.shape is not None and front.kind == "D":
            front.shape.is_described(forms, message)
        elif front.kind == "Q":
            front.writers = Shape(forms).writers
            if self.protocol:
                changed = wire.message(b"T", result_types.with_origins((changed or message)[5:], {}))
        if front.kind == "D":
            self._finish(self.queue.pop())
        return changed

    def _row(self, front: Exchange, buffer: bytearray, at: int, end: int) -> bytes:
        """A row as Redshift writes it; an error, after which the client sees nothing of the result, if it cannot."""
        try:
            return result_types.row(bytes(buffer[at:end]), front.writers or {})
        except NumericOverflow:
            front.hidden = True
            self._finish(front, OVERFLOW.message)
            return wire.error(OVERFLOW)

    def _finish(self, exchange: Exchange, error: str | None = None) -> None:
        if exchange.record:
            self._log.end(exchange.record, exchange.rows, exchange.size_bytes, error)
            exchange.record = None

    def _on_own(self, kind: int, front: Exchange, answer: Answer, buffer: bytearray, at: int, end: int) -> None:
        if kind == _D and front.kind == "E":
            answer.add_row(bytes(buffer[at + 5 : end]))
        elif kind == ord("d") and answer.on_copy_data:
            answer.on_copy_data(memoryview(bytes(buffer[at + 5 : end])))
        elif kind == ord("t"):
            answer.parameters = bytes(buffer[at + 5 : end])
        elif kind == ord("G") and answer.copy_ready:
            answer.copy_ready.set_result(None)
        elif kind == _C and front.kind == "E":
            answer.tag = bytes(buffer[at + 5 : end - 1]).decode()
            self.queue.pop()
            if not answer.done.done():
                answer.done.set_result(None)
        elif _COMPLETES.get(kind) == front.kind:
            self.queue.pop()
            if kind == ord("T"):
                answer.description, answer.returns_rows = self.names.in_columns(bytes(buffer[at + 5 : end])), True
            if front.kind in "DE" and not answer.done.done():
                answer.done.set_result(None)

    def _on_error(self, front: Exchange | None, body: bytes) -> bytes | None:
        if front is None:
            return None
        body = self.names.in_text(body)
        shown: bytes | None = b""
        if front.answer:
            self.queue.pop()
            front.answer.fail(BackendError(body))
        else:
            body = self._error_for_client(front, body)
            shown = wire.message(b"E", body)
        front.failed = True
        words = wire.error_fields(body).get("M")
        self._finish(front, words)
        if front.kind != "Q":
            for skipped in self.queue.skip_to_sync():
                self._finish(skipped, words)
        return shown

    def _error_for_client(self, front: Exchange, body: bytes) -> bytes:
        if front.refusal and wire.error_fields(body).get("C") != "25P02":
            return self.names.in_text(wire.error_body(front.refusal))
        return self.filter_error(body)

    def _on_ready(self, status: str) -> bytes | None:
        exchange = self.queue.pop()
        self.status = status
        if exchange.kind == "S":
            self.queue.failed_until_sync = False
        self._finish(exchange)
        if exchange.ready and not exchange.ready.done():
            exchange.ready.set_result(status)
        return b"" if exchange.hide_ready else None


_CLOSE_STATEMENT = wire.close(b"P", _PORTAL) + wire.close(b"S", _STATEMENT)


def _open_statement(sql: str, parameters: Sequence[str | None]) -> bytes:
    return b"".join((
        wire.close(b"S", _STATEMENT),  # left over if it failed before
        wire.parse(_STATEMENT, sql),
        wire.bind(_PORTAL, _STATEMENT, parameters),
        wire.execute(_PORTAL),
    ))  # fmt: skip


def _tag_count(tag: bytearray) -> int:
    last = tag.rpartition(b" ")[2]
    return int(last) if last.isdigit() else 0

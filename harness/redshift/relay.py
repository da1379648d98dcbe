"""What PostgreSQL answers in one session: relayed to the client, or kept for the gateway, whose question it answers.

In: bytes from the backend, and the exchanges that were opened. Out: the client's bytes, through a writer, untouched
wherever that is possible; results of the gateway's own statements. Knows nothing of SQL.
"""

import asyncio
from collections.abc import Callable, Mapping

from harness.redshift import messages as wire
from harness.redshift import result_types
from harness.redshift.exchanges import Answer, BackendError, Exchange, ExchangeQueue
from harness.redshift.long_names import LongNames
from harness.redshift.messages import Refusal
from harness.redshift.querylog import QueryLog
from harness.redshift.result_types import Shape
from harness.redshift.scaled import NumericOverflow

OVERFLOW = Refusal("22003", "Numeric data overflow (result precision)")
_D, _C, _Z, _E, _T = b"DCZET"
_COMPLETES = {ord("1"): "P", ord("2"): "B", ord("3"): "C", ord("n"): "D", ord("T"): "D", ord("I"): "E", ord("s"): "E"}
ErrorFilter = Callable[[bytes], bytes]


class Relay:
    """The answers of one session.

    status: the transaction's (I, T or E), session_user: whose session it is, both as of the last ReadyForQuery.
    hidden_parameters: values for the client instead of those that PostgreSQL reports. protocol: version 1 and later
    describe columns with their origin, 2 has numbers in binary.
    """

    def __init__(
        self, log: QueryLog, filter_error: ErrorFilter, names: LongNames, session_user: str,
        hidden_parameters: Mapping[bytes, bytes], protocol: int,
    ) -> None:  # fmt: skip
        self._log, self.filter_error, self.names, self.protocol = log, filter_error, names, protocol
        self._hidden_parameters = hidden_parameters
        self.queue = ExchangeQueue()
        self.status = "I"
        self.session_user = session_user

    def lost(self, error: Exception) -> None:
        """Nothing more will be answered."""
        for exchange in self.queue.abandon(error):
            self._finish(exchange, "the connection was lost")

    def take(self, buffer: bytes | bytearray, client: asyncio.StreamWriter) -> int:
        """Take the complete messages of what came; the offset behind them."""
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

    def _handle(self, kind: int, front: Exchange | None, buffer: bytes | bytearray, at: int, end: int) -> bytes | None:
        """What the client gets instead of this message; None: the message itself."""
        if kind == _E:
            return self._on_error(front, bytes(buffer[at + 5 : end]))
        if kind == _Z:
            return self._on_ready(chr(buffer[at + 5]))
        if kind == ord("S"):
            name, _, value = bytes(buffer[at + 5 : end]).partition(b"\x00")
            if name == b"session_authorization":
                self.session_user = value[:-1].decode()
            shown = self._hidden_parameters.get(name) or self.names.in_text(value[:-1])
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

    def _on_client(self, kind: int, front: Exchange, buffer: bytes | bytearray, at: int, end: int) -> bytes | None:
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

    def _row(self, front: Exchange, buffer: bytes | bytearray, at: int, end: int) -> bytes:
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

    def _on_own(self, kind: int, front: Exchange, answer: Answer, buffer: bytes | bytearray, at: int, end: int) -> None:
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


def _tag_count(tag: bytes | bytearray) -> int:
    last = tag.rpartition(b" ")[2]
    return int(last) if last.isdigit() else 0

"""What the gateway waits for from PostgreSQL: one `Exchange` for every message it sent that will be answered.

Answers come in the order of the requests, so a queue of exchanges says for every message of the backend whom it is
for: the client, or the gateway itself. Knows nothing of sockets or SQL.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.redshift.messages import Refusal, data_row, error_fields
from harness.redshift.querylog import Record
from harness.redshift.result_types import Shape, Writer


class BackendError(Exception):
    """PostgreSQL answered one of the gateway's own statements with an error."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.fields = error_fields(body)
        super().__init__(self.fields.get("M", ""))


class Skipped(Exception):
    """An earlier message failed, so the backend ignores everything up to the client's Sync."""


@dataclass
class Answer:
    """What one of the gateway's own statements returned."""

    done: asyncio.Future[None]
    rows: list[list[str | None]] = field(default_factory=list)
    tag: str = ""
    description: bytes = b"\x00\x00"
    parameters: bytes | None = None  # ParameterDescription
    returns_rows: bool = False
    copy_ready: asyncio.Future[None] | None = None
    on_copy_data: Callable[[memoryview], object] | None = None

    def add_row(self, body: bytes) -> None:
        self.rows.append(data_row(body))

    def fail(self, error: Exception) -> None:
        if self.copy_ready and not self.copy_ready.done():
            self.copy_ready.set_exception(error)
            self.done.cancel()
        elif not self.done.done():
            self.done.set_exception(error)


@dataclass(slots=True)
class Exchange:
    """One awaited answer.

    kind: Q and S end with ReadyForQuery, P B C with their completion, D with a description, E with the end of a
    portal's rows. An exchange with an `answer` is the gateway's own; `hidden` ones are swallowed unless they fail.
    shape: of the statement or portal that D describes or E runs. writers: who writes its rows' columns otherwise, once
    they are known; a Q's are those of the result it is at.
    """

    kind: str
    answer: Answer | None = None
    hidden: bool = False
    hide_ready: bool = False
    hide_tags_before: int = 0
    hide_tags_after: int | None = None
    refusal: Refusal | None = None
    record: Record | None = None
    shape: Shape | None = None
    writers: dict[int, Writer] | None = None
    rows: int = 0
    size_bytes: int = 0
    tags: int = 0
    failed: bool = False
    ready: asyncio.Future[str] | None = None


class ExchangeQueue:
    """The exchanges not yet answered, and a way to wait for the last."""

    def __init__(self) -> None:
        self._waiting: deque[Exchange] = deque()
        self._empty: asyncio.Future[None] | None = None
        self.failed_until_sync = False

    @property
    def front(self) -> Exchange | None:
        return self._waiting[0] if self._waiting else None

    def append(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)

    def pop(self) -> Exchange:
        exchange = self._waiting.popleft()
        if not self._waiting and self._empty:
            if not self._empty.done():
                self._empty.set_result(None)
            self._empty = None
        return exchange

    def skip_to_sync(self) -> list[Exchange]:
        """After an error in the extended protocol the backend answers nothing before the next Sync: what it skips."""
        all_skipped = []
        while self._waiting and self._waiting[0].kind != "S":
            skipped = self.pop()
            all_skipped.append(skipped)
            if skipped.answer:
                skipped.answer.fail(Skipped())
            if skipped.ready and not skipped.ready.done():
                skipped.ready.set_exception(Skipped())
        self.failed_until_sync = not self._waiting
        return all_skipped

    async def drained(self) -> None:
        """Return when nothing is awaited any more."""
        if self._waiting:
            self._empty = self._empty or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._empty)

    def abandon(self, error: Exception) -> list[Exchange]:
        """The backend is gone and nothing will be answered: what was waited for."""
        abandoned = list(self._waiting)
        while self._waiting:
            exchange = self.pop()
            if exchange.answer:
                exchange.answer.fail(error)
            if exchange.ready and not exchange.ready.done():
                exchange.ready.set_exception(error)
        return abandoned

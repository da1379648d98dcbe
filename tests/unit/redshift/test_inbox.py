"""A client's messages: in their order, at once where nothing waits, and no more of them in memory than may wait."""

import asyncio
from typing import Any

import pytest

from harness.redshift import inbox
from harness.redshift import messages as wire
from harness.redshift.inbox import Inbox
from harness.redshift.messages import ProtocolError
from harness.redshift.streams import DirectReader


class Session:
    """Relays queries that say `now`, and handles all others when it may go on."""

    def __init__(self) -> None:
        self.done: list[tuple[str, bytes]] = []
        self.may_go_on = asyncio.Event()

    def relay_at_once(self, _kind: int, body: bytes) -> bool:
        if not body.startswith(b"now"):
            return False
        self.done.append(("at once", body))
        return True

    async def handle(self, _kind: int, body: bytes) -> None:
        await self.may_go_on.wait()
        self.done.append(("handled", body))


class Client:
    """A stream without a socket, which knows when it was not to be read from, and when again."""

    def __init__(self) -> None:
        self.transport = self
        self.told: list[str] = []

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")


class Conversation:
    """An inbox, whose client says what a test has it say."""

    def __init__(self) -> None:
        self.reader, self.client, self.session = DirectReader(), Client(), Session()
        session: Any = self.session
        writer: Any = self.client
        self.handling = asyncio.create_task(Inbox(session, self.reader, writer).handle_all())

    async def say(self, *bodies: bytes) -> None:
        self.reader.feed_data(b"".join(wire.message(b"Q", body) for body in bodies))
        await settled()


async def settled() -> None:
    for _ in range(5):  # rounds of the loop, in which every task goes on as far as it can
        await asyncio.sleep(0)


def test_nothing_overtakes_what_waits() -> None:
    async def run() -> list[tuple[str, bytes]]:
        talk = Conversation()
        await talk.say(b"first")  # the first piece is read by the task itself
        await talk.say(b"now 1")
        talk.session.may_go_on.set()
        await settled()
        talk.session.may_go_on.clear()
        await talk.say(b"now 2", b"later", b"now 3")
        await talk.say(b"now 4")
        assert talk.session.done[-1] == ("at once", b"now 2")
        talk.session.may_go_on.set()
        await settled()
        await talk.say(b"now 5")
        talk.reader.feed_eof()
        await talk.handling
        return talk.session.done

    assert asyncio.run(run()) == [
        ("handled", b"first"), ("handled", b"now 1"), ("at once", b"now 2"), ("handled", b"later"),
        ("handled", b"now 3"), ("handled", b"now 4"), ("at once", b"now 5"),
    ]  # fmt: skip


def test_what_came_before_the_end_is_handled() -> None:
    async def run() -> list[tuple[str, bytes]]:
        talk = Conversation()
        await talk.say(b"a", b"b")
        talk.reader.feed_eof()
        talk.session.may_go_on.set()
        await talk.handling
        return talk.session.done

    assert asyncio.run(run()) == [("handled", b"a"), ("handled", b"b")]


def test_a_malformed_message_ends_it_after_those_before_it() -> None:
    async def run() -> list[tuple[str, bytes]]:
        talk = Conversation()
        await talk.say(b"a")
        await talk.say(b"b")
        talk.reader.feed_data(b"\x00\x00\x00\x00\x04")
        talk.session.may_go_on.set()
        with pytest.raises(ProtocolError, match="message type 0"):
            await talk.handling
        return talk.session.done

    assert asyncio.run(run()) == [("handled", b"a"), ("handled", b"b")]


def test_a_client_that_takes_its_leave_is_over_with() -> None:
    async def run() -> list[tuple[str, bytes]]:
        talk = Conversation()
        await talk.say(b"a")
        talk.reader.feed_data(wire.TERMINATE + wire.message(b"Q", b"now"))
        talk.session.may_go_on.set()
        await talk.handling
        return talk.session.done

    assert asyncio.run(run()) == [("handled", b"a")]


def test_no_more_is_read_than_may_wait() -> None:
    async def run() -> None:
        talk = Conversation()
        await talk.say(b"first")
        await talk.say(b"." * (inbox.WAITING_MAX_BYTES // 2))
        assert talk.client.told == []
        await talk.say(b"." * inbox.WAITING_MAX_BYTES)
        assert talk.client.told == ["pause"]
        talk.session.may_go_on.set()
        await settled()
        assert talk.client.told == ["pause", "resume"]
        assert len(talk.session.done) == 3
        talk.reader.feed_eof()
        await talk.handling

    asyncio.run(run())


def test_a_client_may_leave_after_its_session_was_called_off() -> None:
    async def run() -> None:
        talk = Conversation()
        talk.session.may_go_on.set()
        await talk.say(b"first")
        talk.handling.cancel()
        talk.reader.feed_eof()  # while the task, cancelled, has not run on
        with pytest.raises(asyncio.CancelledError):
            await talk.handling

    asyncio.run(run())

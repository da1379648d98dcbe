"""A stream's bytes as they come: in order, the rest again with what follows, and word of its end."""

import asyncio

import pytest

from harness.redshift import streams
from harness.redshift.streams import DirectReader


class Taken:
    """What was given, taken in lines; and how it ended."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.over: list[Exception | None] = []

    def take(self, data: bytes | bytearray) -> int:
        end = data.rfind(b"\n") + 1
        self.pieces.append(bytes(data[:end]))
        if b"bad" in data:
            raise ValueError("bad")
        return end


def test_what_came_before_is_given_first_and_a_rest_comes_again() -> None:
    async def run() -> Taken:
        reader, taken = DirectReader(), Taken()
        reader.feed_data(b"one\ntw")
        await reader.give(taken.take, taken.over.append)
        reader.feed_data(b"o\nthr")
        reader.feed_data(b"e")
        reader.feed_data(b"e\n")
        assert not taken.over
        reader.feed_eof()
        return taken

    taken = asyncio.run(run())
    assert taken.pieces == [b"one\n", b"two\n", b"", b"three\n"]
    assert taken.over == [None]


def test_a_stream_that_has_ended_is_over_at_once() -> None:
    async def run() -> Taken:
        reader, taken = DirectReader(), Taken()
        reader.feed_data(b"one\n")
        reader.feed_eof()
        await reader.give(taken.take, taken.over.append)
        return taken

    taken = asyncio.run(run())
    assert (taken.pieces, taken.over) == ([b"one\n"], [None])


def test_who_cannot_take_is_called_no_more_and_hears_why() -> None:
    async def run() -> Taken:
        reader, taken = DirectReader(), Taken()
        reader.feed_data(b"one\n")
        await reader.give(taken.take, taken.over.append)
        reader.feed_data(b"bad\n")
        reader.feed_data(b"two\n")
        reader.feed_eof()
        return taken

    taken = asyncio.run(run())
    assert taken.pieces == [b"one\n", b"bad\n"]
    assert [str(one) for one in taken.over] == ["bad"]


def test_a_connection_that_breaks_is_told_once() -> None:
    async def run() -> Taken:
        reader, taken = DirectReader(), Taken()
        reader.feed_data(b"one\n")
        await reader.give(taken.take, taken.over.append)
        reader.set_exception(ConnectionResetError("gone"))
        reader.feed_eof()
        return taken

    assert [str(one) for one in asyncio.run(run()).over] == ["gone"]


def test_one_that_broke_before_is_an_error() -> None:
    async def run() -> None:
        reader, taken = DirectReader(), Taken()
        reader.set_exception(ConnectionResetError("gone"))
        await reader.give(taken.take, taken.over.append)

    with pytest.raises(ConnectionResetError):
        asyncio.run(run())


def test_both_ends_of_a_connection_are_such_streams() -> None:
    async def run() -> tuple[bytes, list[Exception | None]]:
        served, over = asyncio.get_running_loop().create_future(), asyncio.Event()
        taken = Taken()

        async def accept(reader: DirectReader, writer: asyncio.StreamWriter) -> None:
            def when_over(why: Exception | None) -> None:
                taken.over.append(why)
                over.set()

            await reader.give(taken.take, when_over)
            await over.wait()
            writer.close()
            await writer.wait_closed()
            served.set_result(None)

        server = await streams.start_server(accept, "127.0.0.1", 0)
        _, writer = await streams.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        for piece in (b"one\nt", b"wo\n"):
            writer.write(piece)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        await served
        server.close()
        return b"".join(taken.pieces), taken.over

    assert asyncio.run(run()) == (b"one\ntwo\n", [None])

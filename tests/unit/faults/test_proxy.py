"""What the proxy does to real connections: late, slow, ended, reset, swallowed; and nothing once it is healed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.faults.proxy import Endpoint, Proxy

NAME = "echo"
TIMEOUT_S = 20
LATENCY_S = 0.2
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def _echo() -> AsyncIterator[int]:
    """A server that sends back what it gets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _with_proxy(test: Callable[[Proxy, Callable[[], Awaitable[Client]]], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(TIMEOUT_S), _echo() as port:
            proxy = Proxy({NAME: Endpoint("127.0.0.1", port)})
            async with proxy.listening():
                listens_at = proxy.answer({"listen": NAME})["port"]
                clients: list[Client] = []

                async def connect() -> Client:
                    clients.append(await asyncio.open_connection("127.0.0.1", listens_at))
                    return clients[-1]

                try:
                    await test(proxy, connect)
                finally:
                    for _, writer in clients:
                        writer.close()

    asyncio.run(run())


async def _ask(client: Client, data: bytes = b"hello") -> bytes:
    reader, writer = client
    writer.write(data)
    await writer.drain()
    return await reader.readexactly(len(data))


def _count(proxy: Proxy) -> dict[str, Any]:
    return proxy.answer({"count": NAME})


def test_it_hands_on_what_it_gets() -> None:
    async def test(proxy: Proxy, connect: Callable[[], Awaitable[Client]]) -> None:
        data = bytes(range(256)) * 2_000
        assert await _ask(await connect(), data) == data
        assert _count(proxy) == {
            "connections": 1, "chunks_late": 0, "refused": 0, "reset": 0, "swallowed_bytes": 0,
        }  # fmt: skip

    _with_proxy(test)


def test_latency_delays_each_way_and_ends_when_healed() -> None:
    async def test(proxy: Proxy, connect: Callable[[], Awaitable[Client]]) -> None:
        client, clock = await connect(), asyncio.get_running_loop().time
        proxy.answer({"change": NAME, "latency_s": LATENCY_S})
        began_s = clock()
        await _ask(client)
        assert clock() - began_s >= 2 * LATENCY_S
        late = _count(proxy)["chunks_late"]
        assert late == 2
        proxy.answer({"change": NAME})
        await _ask(client)
        assert _count(proxy)["chunks_late"] == late

    _with_proxy(test)


def test_bandwidth_is_shared_by_all_connections() -> None:
    async def test(proxy: Proxy, connect: Callable[[], Awaitable[Client]]) -> None:
        clients, clock = [await connect(), await connect()], asyncio.get_running_loop().time
        proxy.answer({"change": NAME, "bytes_per_s": 400_000})
        began_s = clock()
        await asyncio.gather(*(_ask(client, bytes(100_000)) for client in clients))
        assert clock() - began_s >= 0.5  # 200,000 bytes, each way after the other but for what overlaps

    _with_proxy(test)


def test_a_cut_ends_what_is_open_and_refuses_what_is_new() -> None:
    async def test(proxy: Proxy, connect: Callable[[], Awaitable[Client]]) -> None:
        before = await connect()
        await _ask(before)
        proxy.answer({"change": NAME, "mode": "refuse"})
        assert await before[0].read() == b""
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await _ask(await connect())
        assert _count(proxy)["refused"] == 2
        proxy.answer({"change": NAME})
        assert await _ask(await connect()) == b"hello"

    _with_proxy(test)


def test_half_open_swallows_bytes_and_resets_what_lost_some_when_healed() -> None:
    async def test(proxy: Proxy, connect: Callable[[], Awaitable[Client]]) -> None:
        lost, idle = await connect(), await connect()
        await _ask(lost)
        await _ask(idle)
        proxy.answer({"change": NAME, "mode": "swallow"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await _ask(lost)
        assert _count(proxy)["swallowed_bytes"] == 5
        proxy.answer({"change": NAME})
        with pytest.raises(ConnectionError):
            await lost[0].readexactly(1)
        assert await _ask(idle) == b"hello"

    _with_proxy(test)


def test_a_reset_ends_what_is_open_and_then_one_in_so_many() -> None:
    async def test(proxy: Proxy, connect: Callable[[], Awaitable[Client]]) -> None:
        before = await connect()
        await _ask(before)
        proxy.answer({"change": NAME, "reset_one_in": 2})
        assert proxy.answer({"reset": NAME}) == {"connections": 1}
        with pytest.raises(ConnectionError):
            await before[0].readexactly(1)
        outcomes = []
        for _ in range(4):
            try:
                outcomes.append(await _ask(await connect()) == b"hello")
            except (ConnectionError, asyncio.IncompleteReadError):
                outcomes.append(False)
        assert outcomes.count(False) == 2
        assert _count(proxy)["reset"] == 3

    _with_proxy(test)


@pytest.mark.parametrize("command", [{"change": "nobody"}, {"change": NAME, "speed": 1}, {"do": "something"}])
def test_a_wrong_command_is_an_error(command: dict[str, Any]) -> None:
    proxy = Proxy({NAME: Endpoint("127.0.0.1", 1)})
    with pytest.raises((KeyError, TypeError)):
        proxy.answer(command)

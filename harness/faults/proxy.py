"""`python -m harness.faults.proxy NAME=HOST:PORT …`: stands between a pipeline and what it connects to, and breaks TCP.

In: commands, one JSON line each, on standard input. Out: the ports it listens on (loopback), and an answer line a
command. It looks into no byte, so whatever runs over TCP can be behind it, TLS too. It ends when its standard input
closes, so never outlives who started it.

    {"listen": "redshift"}                                      where NAME listens: {"port": 40123}
    {"change": "redshift", "latency_s": 0.2, "bytes_per_s": 0, "mode": "pass", "reset_one_in": 0}
    {"reset": "redshift"}                                       connections that are open now get an RST
    {"count": "redshift"}                                       what was done so far: a `Counts`

Modes: `pass` forwards; `refuse` ends connections and takes no new one; `swallow` keeps connections open and drops what
comes in, as a peer does that is gone without a word (half-open).
"""

import asyncio
import contextlib
import json
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 1 << 16
# What may wait for its time in one direction of one connection; then the sender has to wait as well.
WAITING_CHUNKS_MAX = 64
CONNECTIONS_MAX = 2_000
CONNECT_TIMEOUT_S = 10.0


@dataclass
class Counts:
    """What the proxy did to one endpoint's traffic."""

    connections: int = 0
    chunks_late: int = 0
    refused: int = 0
    reset: int = 0
    swallowed_bytes: int = 0


@dataclass
class Behaviour:
    """How an endpoint's traffic is treated. `bytes_per_s` is shared by all its connections, for each direction; 0: no
    limit. Of new connections every `reset_one_in`-th is reset when its first answer comes; 0: none."""

    mode: str = "pass"
    latency_s: float = 0.0
    bytes_per_s: float = 0.0
    reset_one_in: int = 0


@dataclass
class Endpoint:
    """One address behind the proxy."""

    host: str
    port: int
    behaviour: Behaviour = field(default_factory=Behaviour)
    counts: Counts = field(default_factory=Counts)
    links: "set[Link]" = field(default_factory=set)
    free_at_s: dict[str, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})

    def due_s(self, direction: str, size_bytes: int, now_s: float) -> float:
        """When bytes that arrive now are to be handed on."""
        rate = self.behaviour.bytes_per_s
        sent_s = max(now_s, self.free_at_s[direction]) + size_bytes / rate if rate else now_s
        if rate:
            self.free_at_s[direction] = sent_s
        return sent_s + self.behaviour.latency_s

    def reset_all(self) -> int:
        """Reset what is open; returns how many connections that were."""
        links = list(self.links)
        for link in links:
            link.reset()
        self.counts.reset += len(links)
        return len(links)


class Link:
    """A client's connection and the one behind it."""

    def __init__(self, endpoint: Endpoint, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._endpoint = endpoint
        self._writers = (client, server)
        self._number = endpoint.counts.connections
        self.has_lost_bytes = False

    async def relay(self, client: asyncio.StreamReader, server: asyncio.StreamReader) -> None:
        """Hand bytes on in both directions until both sides have ended, or one is lost."""
        to_client, to_server = self._writers
        ways = [
            asyncio.create_task(self._one_way("up", client, to_server)),
            asyncio.create_task(self._one_way("down", server, to_client)),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(self, direction: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING_CHUNKS_MAX)
        handing_on = asyncio.create_task(self._hand_on(waiting, writer))
        try:
            loop = asyncio.get_running_loop()
            while data := await reader.read(CHUNK_BYTES):
                if self._is_dropped(direction, data):
                    continue
                now_s = loop.time()
                due_s = self._endpoint.due_s(direction, len(data), now_s)
                self._endpoint.counts.chunks_late += due_s > now_s
                await waiting.put((due_s, data))
            if self._endpoint.behaviour.mode != "swallow":
                await waiting.put((0.0, b""))
                await handing_on
        finally:
            handing_on.cancel()
            await asyncio.gather(handing_on, return_exceptions=True)

    def _is_dropped(self, direction: str, data: bytes) -> bool:
        behaviour, counts = self._endpoint.behaviour, self._endpoint.counts
        if behaviour.mode == "swallow":
            counts.swallowed_bytes += len(data)
            self.has_lost_bytes = True
        elif direction == "down" and behaviour.reset_one_in and self._number % behaviour.reset_one_in == 0:
            counts.reset += 1
            self.reset()
            return True
        return self.has_lost_bytes

    async def _hand_on(self, waiting: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s, data = await waiting.get()
            if (left_s := due_s - loop.time()) > 0:
                await asyncio.sleep(left_s)
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    def reset(self) -> None:
        """End both connections with an RST: what is unsent is lost."""
        for writer in self._writers:
            _reset(writer)

    def close(self) -> None:
        """End both connections in order."""
        for writer in self._writers:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxy:
    """All endpoints of one process."""

    def __init__(self, endpoints: dict[str, Endpoint]) -> None:
        self._endpoints = endpoints
        self._ports: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take connections for as long as the block lasts."""
        async with contextlib.AsyncExitStack() as stack:
            for name, endpoint in self._endpoints.items():
                server = await asyncio.start_server(_acceptor(endpoint), LOOPBACK, 0)
                stack.push_async_callback(server.wait_closed)
                stack.callback(endpoint.reset_all)
                stack.callback(server.close)
                self._ports[name] = server.sockets[0].getsockname()[1]
            yield

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do as told.

        Raises:
            KeyError, TypeError: the command names no endpoint of ours, or no setting.
        """
        match command:
            case {"listen": name}:
                return {"port": self._ports[name]}
            case {"change": name, **settings}:
                self._change(self._endpoints[name], Behaviour(**settings))
                return {}
            case {"reset": name}:
                return {"connections": self._endpoints[name].reset_all()}
            case {"count": name}:
                return asdict(self._endpoints[name].counts)
        raise KeyError(f"no such command: {command}")

    def _change(self, endpoint: Endpoint, behaviour: Behaviour) -> None:
        endpoint.behaviour = behaviour
        endpoint.free_at_s = {"up": 0.0, "down": 0.0}
        for link in list(endpoint.links):
            if behaviour.mode == "refuse":
                endpoint.counts.refused += 1
                link.close()
            elif behaviour.mode == "pass" and link.has_lost_bytes:
                link.reset()  # the stream has a hole: the peer that was away does not know this connection


def _acceptor(endpoint: Endpoint) -> Any:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if endpoint.behaviour.mode == "refuse" or len(endpoint.links) >= CONNECTIONS_MAX:
            endpoint.counts.refused += 1
            _reset(writer)
            return
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                behind, to_behind = await asyncio.open_connection(endpoint.host, endpoint.port)
        except (OSError, TimeoutError):
            _reset(writer)
            return
        endpoint.counts.connections += 1
        link = Link(endpoint, writer, to_behind)
        endpoint.links.add(link)
        try:
            await link.relay(reader, behind)
        except (ConnectionError, RuntimeError):
            link.reset()  # one side is gone: so is the other
        finally:
            endpoint.links.discard(link)
            link.close()

    return accept


async def _serve(endpoints: dict[str, Endpoint]) -> None:
    loop, commands = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    proxy = Proxy(endpoints)
    async with proxy.listening():
        while line := await commands.readline():
            try:
                said = proxy.answer(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                said = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), flush=True)


def main(arguments: list[str]) -> int:
    """Serve until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the harness, which heals first
    endpoints = {}
    for argument in arguments:
        name, _, address = argument.partition("=")
        host, _, port = address.rpartition(":")
        endpoints[name] = Endpoint(host, int(port))
    asyncio.run(_serve(endpoints))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

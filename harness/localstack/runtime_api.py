"""The Lambda Runtime API of one execution environment: an HTTP/1.1 server without threads of its own.

Whoever waits for the environment drives it: `handle(key)` on every readable socket, and out come whole requests. The
paths are those of AWS's "Using the Lambda runtime API" (version 2018-06-01). Knows HTTP, not processes or LocalStack.
"""

import errno
import random
import selectors
import socket
from dataclasses import dataclass
from http import HTTPStatus

PORT = 9001
"""AWS_LAMBDA_RUNTIME_API names port 9001 on AWS; here each environment has a loopback address of its own."""
ADDRESS_TRIES = 100
RECEIVE_SIZE_BYTES = 1 << 18
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """One request of the runtime. Header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: "Connection"


class Connection:
    """One keep-alive connection from the runtime."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setblocking(True)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = peer
        self._buffer = bytearray()
        self._expects_continue = False

    def receive(self) -> list[Request] | None:
        """Requests that are now complete; None when the peer has closed."""
        try:
            chunk = self.socket.recv(RECEIVE_SIZE_BYTES)
        except OSError:
            return None
        if not chunk:
            return None
        self._buffer += chunk
        requests = []
        while request := self._take():
            requests.append(request)
        return requests

    def _take(self) -> Request | None:
        head_size = self._buffer.find(END_OF_HEAD)
        if head_size < 0:
            return None
        lines = self._buffer[:head_size].decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        start = head_size + len(END_OF_HEAD)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body, end = _take_chunks(self._buffer, start)
        else:
            end = start + int(headers.get("content-length") or 0)
            body = bytes(self._buffer[start:end]) if len(self._buffer) >= end else None
        if body is None:
            if headers.get("expect", "").lower() == "100-continue" and not self._expects_continue:
                self._expects_continue = True
                self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        self._expects_continue = False
        del self._buffer[:end]
        return Request(method, path, headers, body, self)

    def answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> bool:
        """Send a response; False when the peer is gone."""
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {"Content-Type": "application/json"}).items()]
        try:
            self.socket.sendall("\r\n".join(lines).encode("latin-1", "replace") + END_OF_HEAD + body)
        except OSError:
            return False
        return True


def _take_chunks(buffer: bytearray, position: int) -> tuple[bytes | None, int]:
    body = bytearray()
    while True:
        line_end = buffer.find(b"\r\n", position)
        if line_end < 0:
            return None, 0
        size = int(buffer[position:line_end].split(b";")[0], 16)
        start = line_end + 2
        if len(buffer) < start + size + 2:
            return None, 0
        body += buffer[start : start + size]
        position = start + size + 2
        if size == 0:
            return bytes(body), position


def _listen() -> socket.socket:
    """Bind a free address of 127.64.0.0/10.

    Raises:
        OSError: none was free.
    """
    for tries_left in range(ADDRESS_TRIES, 0, -1):
        address = f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        try:
            return socket.create_server((address, PORT))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or tries_left == 1:
                raise
    raise AssertionError("unreachable")


class RuntimeApi:
    """The listening socket and the connections of one environment, registered with one selector."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._listener = _listen()
        self._connections: set[Connection] = set()
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def host(self) -> str:
        """The loopback address of this environment."""
        host: str = self._listener.getsockname()[0]
        return host

    def _accept(self) -> list[Request]:
        connection = Connection(self._listener.accept()[0])
        self._connections.add(connection)
        self._selector.register(connection.socket, selectors.EVENT_READ, lambda: self._receive(connection))
        return []

    def _receive(self, connection: Connection) -> list[Request]:
        requests = connection.receive()
        if requests is None:
            self._drop(connection)
            return []
        return requests

    def _drop(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def close(self) -> None:
        """Close every socket."""
        for connection in list(self._connections):
            self._drop(connection)
        self._selector.unregister(self._listener)
        self._listener.close()

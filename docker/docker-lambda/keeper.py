"""The one container that has the Docker engine's socket: it hands the engine on to LocalStack and tidies up behind it.

In: /var/run/docker.sock, and connections to /engine/docker.sock, in a volume that only LocalStack shares. Out: the
engine's own answers. At its start and its end it removes whatever container carries the label of this project's
functions, also when LocalStack was killed and could not. Runs in the handler's image, so it takes only Python.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import urllib.parse
from pathlib import Path

ENGINE, HERE = Path("/var/run/docker.sock"), Path("/engine/docker.sock")
LABEL = f"nrt-harness.functions-of={os.environ['NRT_FUNCTIONS_OF']}"
CHUNK_BYTES = 1 << 16


class _Engine(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(method: str, path: str, engine: Path = ENGINE) -> bytes:
    """One request to the engine, or to what stands in front of it.

    Raises:
        OSError: it does not answer, or with an error.
    """
    connection = _Engine(engine)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise OSError(f"{method} {path}: {answer.status} {body.decode(errors='replace').strip()}")
    return body


def remove_functions() -> None:
    """Remove every container of this project's functions."""
    filters = urllib.parse.quote(json.dumps({"label": [LABEL]}))
    for container in json.loads(ask("GET", f"/containers/json?all=true&filters={filters}")):
        # LocalStack may be removing it at this moment
        with contextlib.suppress(OSError):
            ask("DELETE", f"/containers/{container['Id']}?force=true&v=true")


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(str(ENGINE))
            asking = threading.Thread(target=_copy, args=(self.request, engine), daemon=True)
            asking.start()
            _copy(engine, self.request)
            asking.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


def serve() -> None:
    """Forward connections until SIGTERM."""
    HERE.unlink(missing_ok=True)
    with _Server(str(HERE), _Handler) as server:
        HERE.chmod(0o666)
        # It waits for the loop that it is called from, were it called here
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
    HERE.unlink()


def main() -> None:
    """Tidy up, serve, tidy up; or with `ping` see that the engine answers through here."""
    if sys.argv[1:] == ["ping"]:
        ask("GET", "/_ping", HERE)
        return
    remove_functions()
    try:
        serve()
    finally:
        remove_functions()


if __name__ == "__main__":
    main()

"""The live view: a page on loopback that shows a run while it goes on (`harness run … --live`).

In: the history that the ledger's events are folded into. Out: HTTP on 127.0.0.1 at a free port. It only looks: nobody
can change anything through it, it works only while somebody has the page open, and it never takes more than a small
share of a core, so that looking does not disturb what is measured.
"""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.history import History
from harness.report import live_page
from harness.run_directory import RunFacts

LOOPBACK = "127.0.0.1"
# A page that took a second to make is not made again for twenty: at most a twentieth of a core.
REST_PER_WORK = 20.0
FRESH_FOR_S = 1.0


class Kept:
    """A text that is made again only when it is old, and only by one thread at a time."""

    def __init__(self, make: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._packed = b""
        self._stale_at_s = float("-inf")

    def packed(self) -> bytes:
        """The text as gzipped UTF-8."""
        with self._lock:
            began_s = self._clock()
            if began_s >= self._stale_at_s:
                self._packed = gzip.compress(self._make().encode(), compresslevel=1)
                ended_s = self._clock()
                self._stale_at_s = ended_s + max(FRESH_FOR_S, REST_PER_WORK * (ended_s - began_s))
            return self._packed


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    contents: dict[str, tuple[str, Kept]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer with one of the contents."""
        host, found = self.headers.get("Host", ""), self.server.contents.get(self.path)
        if host not in {f"{name}:{self.server.server_port}" for name in (LOOPBACK, "localhost")}:
            # a web page elsewhere whose name was made to resolve to this machine must not read the run
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", gzip.compress(b"not the name of this server\n"))
        elif found is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", gzip.compress(b"there are / and /live.json\n"))
        else:
            kind, kept = found
            self._answer(HTTPStatus.OK, kind, kept.packed())

    def _answer(self, status: HTTPStatus, kind: str, packed: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(packed)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Say nothing: the terminal belongs to the run's progress."""


@contextmanager
def live_view(history: History, facts: RunFacts, run: str) -> Iterator[str]:
    """Serve the page for as long as the block lasts; gives its URL."""
    # the first page packs plotly.js, which takes a second of CPU: now, and not while the load is measured
    live_page.page(history, facts, run, time.time())
    server = _Server((LOOPBACK, 0), _Handler)
    server.contents = {
        "/": ("text/html", Kept(lambda: live_page.page(history, facts, run, time.time()))),
        "/live.json": ("application/json", Kept(lambda: live_page.update(history, facts, time.time()))),
    }
    thread = threading.Thread(target=server.serve_forever, name="harness-live", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

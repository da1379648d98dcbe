"""The parts of a stack that can be ended and started again while it is up, and the socket on which that is asked for.

In: how each part is started. Out: its process, and answers to requests, one JSON line each, on a Unix socket in the
stack's private directory: {"end": "redshift"} ends a part in order (`"kill": true`: at once), {"start": "redshift"}
starts it again where it was and answers when it is ready. Faults ask for it; nobody else does.
"""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.stack.processes import Child

SOCKET_NAME = "control"
END_GRACE_S = 20.0
REQUEST_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 150.0
LINE_MAX_BYTES = 4096


@dataclass
class Parts:
    """The processes of a stack, by name; one that was ended on request is not among `children`."""

    children: dict[str, Child] = field(default_factory=dict)
    _starters: dict[str, Callable[[], Child]] = field(default_factory=dict)
    _waiters: dict[str, Callable[[Child], None]] = field(default_factory=dict)

    def add(self, name: str, start: Callable[[], Child], wait: Callable[[Child], None]) -> None:
        """A part that can be started more than once; `wait` returns when it is ready."""
        self._starters[name], self._waiters[name] = start, wait

    def start(self, name: str) -> None:
        """Start a part that is not there."""
        if name in self.children:
            raise HarnessError(f"{name} is running already")
        self.children[name] = self._starters[name]()

    def wait(self, name: str) -> None:
        """Return when the part is ready."""
        self._waiters[name](self.children[name])

    def end(self, name: str, *, kill: bool) -> None:
        """End a part, on purpose."""
        if name not in self._starters or name not in self.children:
            raise HarnessError(f"{name} is no part that can be ended now; there are {', '.join(self._starters)}")
        self.children.pop(name).end(signal.SIGKILL if kill else signal.SIGTERM, END_GRACE_S)

    @property
    def pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self.children.items()}

    def require_alive(self) -> None:
        """Raise HarnessError when a part has ended that nobody asked to."""
        for child in self.children.values():
            if not child.is_alive():
                raise HarnessError(
                    f"{child.name} ended with exit code {child.process.returncode}: {child.last_lines()}"
                )

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do as asked."""
        match request:
            case {"end": str(name)}:
                self.end(name, kill=bool(request.get("kill")))
            case {"start": str(name)}:
                self.start(name)
                self.wait(name)
            case {"show": "pids"}:
                pass
            case _:
                return {"error": "no such request"}
        return {"pids": self.pids}


@dataclass(frozen=True)
class Requests:
    """The socket that a stack listens on."""

    server: socket.socket

    def fileno(self) -> int:
        return self.server.fileno()

    def answer_one(self, parts: Parts) -> None:
        """Take one request and answer it; whoever asked may be gone by then."""
        connection, _ = self.server.accept()
        with connection, suppress(OSError):
            connection.settimeout(REQUEST_TIMEOUT_S)
            try:
                answer = parts.answer(json.loads(connection.makefile("rb").readline(LINE_MAX_BYTES)))
            except (HarnessError, ValueError) as error:
                answer = {"error": str(error)}
            connection.sendall(json.dumps(answer).encode() + b"\n")


@contextmanager
def listening(directory: Path) -> Iterator[Requests]:
    """Listen in a stack's private directory for as long as the block lasts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(directory / SOCKET_NAME))
        (directory / SOCKET_NAME).chmod(0o600)
        server.listen()
        yield Requests(server)


def ask(directory: Path, **request: Any) -> dict[str, Any]:
    """Ask the stack that lives in this directory.

    Raises:
        HarnessError: it cannot be asked, or could not do it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            connection.connect(str(directory / SOCKET_NAME))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
        except (OSError, ValueError) as error:
            raise HarnessError(f"the stack in {directory} cannot be asked to {request}: {error}") from error
    if "error" in answer:
        raise HarnessError(f"the stack could not {request}: {answer['error']}")
    return answer

"""Starting and signalling processes through one launcher process (see `launcher_process`).

In: what to run. Out: a `Child`, with its output, its exit and its process tree. Standard library only; knows neither
Lambda nor LocalStack.
"""

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.localstack.room import View

PAGE_SIZE_BYTES = os.sysconf("SC_PAGE_SIZE")
READ_SIZE_BYTES = 1 << 16


@dataclass(frozen=True)
class Exit:
    """How a process ended: with a code, or by a signal."""

    code: int | None
    signal: int | None
    peak_memory_mb: float = field(default=0.0, compare=False)


class Child:
    """A started process: the leader of its own session and process group.

    One thread runs it, and any other may `kill` it, also at the moment at which the first one closes it.
    """

    def __init__(self, output: int, status: int) -> None:
        self.output = output
        """Readable end of its standard output and error; non-blocking."""
        self.status = status
        """Becomes readable when the process ends; non-blocking."""
        self._buffer = b""
        self._reading = threading.Lock()
        self.exit: Exit | None = None
        self.pid = self._await_pid()

    def _await_pid(self) -> int:
        while b"\n" not in self._buffer:
            chunk = os.read(self.status, READ_SIZE_BYTES)
            if not chunk:
                raise OSError("the launcher ended before it could start a process")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        os.set_blocking(self.status, False)
        os.set_blocking(self.output, False)
        return int(json.loads(line)["pid"])

    def poll(self) -> Exit | None:
        """Its exit, or None while it runs. An exit nobody can tell about (the launcher died) counts as killed."""
        with self._reading:
            while self.exit is None:
                try:
                    chunk = os.read(self.status, READ_SIZE_BYTES)
                except BlockingIOError:
                    return None
                self._buffer += chunk
                if b"\n" in self._buffer:
                    message = json.loads(self._buffer)
                    self.exit = Exit(message["exit"], message["signal"], message["peak_kb"] / 1024)
                elif not chunk:
                    self.exit = Exit(None, signal.SIGKILL)
            return self.exit

    def read_output(self) -> bytes:
        """What it has printed since the last call, without waiting."""
        chunks = []
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output, READ_SIZE_BYTES):
                chunks.append(chunk)
        return b"".join(chunks)

    def freeze(self) -> None:
        """Stop every thread of its process group, as Lambda does between invokes."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its process group run again."""
        self._signal_group(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process and all it started."""
        for pid in self.tree():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._signal_group(signal.SIGKILL)

    def close(self) -> None:
        """Give back the descriptors. What has not ended by now counts as killed."""
        with self._reading:
            self.exit = self.exit or Exit(None, signal.SIGKILL)
            os.close(self.output)
            os.close(self.status)

    def _signal_group(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def tree(self) -> list[int]:
        """The process and everything below it, at this moment."""
        if self.poll() is not None:
            return []
        found, pending = [self.pid], [self.pid]
        while pending:
            for child in _children(pending.pop()):
                found.append(child)
                pending.append(child)
        return found

    def memory_mb(self) -> float:
        """Resident memory of the whole tree."""
        return sum(_resident_bytes(pid) for pid in self.tree()) / 2**20

    def peak_memory_mb(self) -> float:
        """The most resident memory the process itself has had (VmHWM)."""
        try:
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        except OSError:
            return 0.0
        return 0.0


def _children(pid: int) -> list[int]:
    """Each thread has children of its own. This is asked ten times a second for every busy environment."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - a Path of each costs more than reading it
    except OSError:
        return []
    return [int(child) for task in tasks for child in _read(f"/proc/{pid}/task/{task}/children").split()]


def _resident_bytes(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE_SIZE_BYTES if fields else 0


def _read(path: str) -> bytes:
    """A small file of /proc; empty if its process is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


class Launcher:
    """Starts processes that cannot outlive this one. One per emulator is enough; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        cwd: str,
        room: str = "",
        view: View | None = None,
    ) -> Child:
        """Start `argv`; with a `view`, in the room of that name, which later starts find as it was left.

        Raises:
            OSError: the launcher could not be started or has just died.
        """
        request = {"argv": list(argv), "env": dict(environment), "cwd": cwd, "room": room, "view": view}
        output_read, output_write = os.pipe()
        status_read, status_write = os.pipe()
        try:
            self._send(json.dumps(request).encode(), output_write, status_write)
        except OSError:
            os.close(output_read)
            os.close(status_read)
            raise
        finally:
            os.close(output_write)
            os.close(status_write)
        return Child(output_read, status_read)

    def forget(self, room: str) -> None:
        """Give up a room; nothing will be started in it any more."""
        with contextlib.suppress(OSError):
            self._send(json.dumps({"forget": room}).encode())

    def has_rooms(self) -> bool:
        """Whether private views of the file system can be made here."""
        python = [path for path in {sys.prefix, sys.base_prefix} if path.startswith("/tmp/")]
        view: View = {
            "tmp_size_mb": 1, "processes_max": 1_024, "binds": {"/var/task": "/usr"}, "keep": python,
            "python": sys.executable,
        }  # fmt: skip
        child = self.start(
            [sys.executable, "-I", "-S", "-c", "import os; os.stat('/var/task/bin')"], {}, "/", "probe", view
        )
        select.select([child.status], [], [])
        ended = child.poll()
        child.close()
        self.forget("probe")
        return ended == Exit(0, None)

    def _send(self, data: bytes, *descriptors: int) -> None:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._spawn()
            assert self._socket is not None
            self._socket.sendmsg([data], ancillary)

    def _spawn(self) -> None:
        if self._socket:
            self._socket.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "harness.localstack.launcher_process", str(theirs.fileno())],
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._socket = ours

    def close(self) -> None:
        """Kill everything that was started, and wait until it is gone."""
        with self._lock:
            if self._socket:
                self._socket.close()
            if self._process:
                self._process.wait()
            self._socket = self._process = None

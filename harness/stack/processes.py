"""Child processes that never outlive their parent, and what it takes to know that one is ready.

In: a command line. Out: a `Child` with a log file, a readiness check and an end. Knows nothing of what it runs.
"""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.errors import HarnessError

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)

LOOPBACK = "127.0.0.1"
POLL_INTERVAL_S = 0.05
FREE_PORTS = (15_000, 32_000)


def _die_with_parent(signal_number: int) -> Callable[[], None]:
    def set_death_signal() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number)

    return set_death_signal


def become_subreaper() -> None:
    """Have every orphaned descendant handed to this process, so that it can end them all."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


@dataclass(frozen=True)
class Child:
    """A running child process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def last_lines(self, count: int = 3) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return "(no output)"
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " | ".join(lines[-count:]) or "(no output)"

    def wait_until(self, is_ready: Callable[[], bool], timeout_s: float) -> None:
        """Ask until ready.

        Raises:
            HarnessError: the process ended, or was not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.is_alive():
                raise HarnessError(f"{self.name} ended with exit code {self.process.returncode}: {self.last_lines()}")
            if time.monotonic() > deadline:
                raise HarnessError(f"{self.name} was not ready within {timeout_s:g} s: {self.last_lines()}")
            time.sleep(POLL_INTERVAL_S)

    def end(self, signal_number: int = signal.SIGTERM, grace_s: float = 2.0) -> None:
        """Ask it to end, and make it end when it does not within `grace_s`."""
        if self.is_alive():
            self.process.send_signal(signal_number)
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def spawn(
    name: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: int | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    death_signal: int = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a process that gets `death_signal` when this one ends; standard output goes to `log` unless given.

    Call it from a thread that lives as long as the child should: the kernel watches the thread, not the process.
    """
    with log.open("ab") as log_file:
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=stdin,
                stdout=log_file if stdout is None else stdout,
                stderr=log_file,
                env=dict(environment) if environment is not None else None,
                cwd=directory,
                user=user,
                group=user,
                extra_groups=[] if user is not None else None,
                start_new_session=True,
                preexec_fn=_die_with_parent(death_signal),
                pass_fds=pass_fds,
            )
        except OSError as error:
            raise HarnessError(f"{name} could not be started: {error}") from error
    return Child(name, process, log)


def descendants_of_this_process() -> list[int]:
    """Process ids of all live descendants, zombies left out, from the kernel's own list of children."""
    found: list[int] = []
    pending = [os.getpid()]
    while pending:
        pid = pending.pop()
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                children = [int(child) for child in tasks.read_text().split()]
                found += children
                pending += children
    return found


def end_all_descendants(timeout_s: float = 5.0) -> None:
    """Kill and reap every descendant; needs `become_subreaper`, so that orphans arrive here.

    Raises:
        HarnessError: some are still there after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while remaining := descendants_of_this_process():
        for pid in remaining:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if time.monotonic() > deadline:
            raise HarnessError(f"processes that would not end: {remaining}")
        time.sleep(POLL_INTERVAL_S / 5)


_given: set[int] = set()  # a stack's ports are all chosen before the first is listened on


def free_port() -> int:
    """A loopback port that nobody listens on at this moment, another one each time.

    Picked at random below the range the kernel takes for outgoing connections, so that none of those can take it in
    the time between this look and the server's own bind.
    """
    while True:
        port = random.randrange(*FREE_PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        _given.add(port)
        return port


def require_port(port: int, option: str) -> int:
    """The port that the user asked for.

    Raises:
        HarnessError: it cannot be had.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise HarnessError(f"{option} {port} cannot be had on {LOOPBACK}: {error}") from error
    return port


def is_listening(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def require_free_disk(directory: Path, needed_bytes: int) -> None:
    """Raise HarnessError when the disk under `directory` has less than `needed_bytes` left."""
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < needed_bytes:
        raise HarnessError(
            f"{directory}: {free_bytes // 2**20} MB free, {needed_bytes // 2**20} MB needed: "
            "free some space or name another directory with TMPDIR"
        )

"""The process that starts every execution environment, and sees to it that none is left behind.

It is started by `launcher.Launcher` and is its only client. It has one thread, so a child's parent-death signal
(which Linux ties to the thread that forked, prctl(2)) fires exactly when this process ends; and it is a child
subreaper, so what a handler starts in the background is found here too. When the emulator goes, however it goes,
its end of the socket closes, and everything below this process is killed, frozen processes included.

In: requests over a Unix socket, JSON with two file descriptors (output, status), or the name of a room to forget. Out,
on the status descriptor: `{"pid": n}` when started, `{"exit": n|null, "signal": n|null, "peak_kb": n}` when ended.
Standard library only; knows no Lambda.
"""

import array
import contextlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from harness.localstack import room, sandbox_user

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
MESSAGE_SIZE_MAX_BYTES = 1 << 20
LIMITS = {
    resource.RLIMIT_NOFILE: (1_024, 1_024),
    resource.RLIMIT_MEMLOCK: (1 << 16, 1 << 16),
    resource.RLIMIT_STACK: (8 << 20, resource.RLIM_INFINITY),
}
"""As recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json, test_runtime_ulimits)."""
CORE_SIZE_MAX_BYTES = 10 << 30
"""From the same record. Only with a view: elsewhere a dump would lie beside the function's code."""


class _Rooms:
    """The private file system views of environments, kept while their process is started anew (see `room`)."""

    def __init__(self) -> None:
        self._namespaces: dict[str, list[int]] = {}
        self._uids: dict[str, int] = {}
        self._given = 0
        self._is_root = os.geteuid() == 0
        self.changes_user = sandbox_user.can_change()

    def uid(self, name: str) -> int:
        """The user that the processes of this environment are, as it sees itself."""
        if self._is_root and not self.changes_user:
            return 0
        if name not in self._uids:
            number, self._given = self._given, self._given + 1
            own = sandbox_user.FIRST_UID + number % sandbox_user.UIDS
            self._uids[name] = own if self.changes_user else sandbox_user.UID
        return self._uids[name]

    def enter(self, name: str, view: room.View, report: socket.socket) -> None:
        """In the forked child: enter the view, made now or by an earlier process of the same environment."""
        if name in self._namespaces:
            for namespace in self._namespaces[name]:
                room.call("setns", namespace, 0)
            return
        room.enter(view, self.uid(name))
        kinds = ["mnt"] if self._is_root else ["user", "mnt"]
        socket.send_fds(report, [b"made"], [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in kinds])

    def remember(self, name: str, report: socket.socket) -> None:
        """In the launcher: keep what the child has made; returns when the child is set up."""
        _, descriptors, _, _ = socket.recv_fds(report, 16, 2)
        if descriptors:
            self._namespaces[name] = list(descriptors)

    def forget(self, name: str) -> None:
        """The environment is gone for good."""
        self._uids.pop(name, None)
        for namespace in self._namespaces.pop(name, ()):
            os.close(namespace)


def _become(request: dict[str, Any], output: int, parent: int, rooms: _Rooms, report: socket.socket) -> None:
    """In the forked child: set the process up, then turn into the runtime."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    core_size_max = CORE_SIZE_MAX_BYTES if request["view"] else 0
    _limit(resource.RLIMIT_CORE, core_size_max, core_size_max)
    if request["view"]:
        rooms.enter(request["room"], request["view"], report)
    for kind, (soft, hard) in LIMITS.items():  # after the view: until exec there are the launcher's own open files, too
        _limit(kind, soft, hard)
    if request["view"]:
        _limit(resource.RLIMIT_NPROC, request["view"]["processes_max"], request["view"]["processes_max"])
        if rooms.changes_user:
            sandbox_user.become(rooms.uid(request["room"]))
    room.call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # last: a change of user takes it back
    if os.getppid() != parent:
        os._exit(1)
    os.chdir(request["cwd"])
    os.execve(request["argv"][0], request["argv"], request["env"])


def _limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit, as far as this process may: without root nobody raises a hard limit."""
    _, most = resource.getrlimit(kind)
    if os.geteuid() != 0 and most != resource.RLIM_INFINITY:
        hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
        soft = min(soft, hard)
    resource.setrlimit(kind, (soft, hard))


def _start(request: dict[str, Any], output: int, rooms: _Rooms) -> int:
    parent = os.getpid()
    if request["view"]:
        rooms.uid(request["room"])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            try:
                ours.close()
                _become(request, output, parent, rooms, theirs)
            except OSError as error:
                os.write(2, f"cannot start {request['argv'][0]}: {error}\n".encode())
            finally:
                os._exit(127)
        theirs.close()
        if request["view"]:
            rooms.remember(request["room"], ours)
    return pid


def _descendants(root: int) -> list[int]:
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                children = [int(child) for child in (task / "children").read_text().split()]
                found += children
                pending += children
    return found


def _tell(status: int, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(message).encode() + b"\n")


class _Children:
    """The live children and where each one's end is to be told."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self.rooms = _Rooms()
        self._status: dict[int, tuple[int, int]] = {}

    def add(self, request: dict[str, Any], output: int, status: int) -> None:
        pid = _start(request, output, self.rooms)
        os.close(output)
        handle = os.pidfd_open(pid)
        self._status[pid] = (status, handle)
        self._selector.register(handle, selectors.EVENT_READ)
        _tell(status, {"pid": pid})

    def reap(self) -> None:
        """Collect who has ended; orphans of handlers that were handed to us as well."""
        while True:
            try:
                pid, state, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._status:
                self._ended(pid, os.waitstatus_to_exitcode(state), usage.ru_maxrss)

    def _ended(self, pid: int, code: int, peak_kb: int) -> None:
        status, handle = self._status.pop(pid)
        self._selector.unregister(handle)
        os.close(handle)
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        ended = {"exit": code if code >= 0 else None, "signal": -code if code < 0 else None, "peak_kb": peak_kb}
        _tell(status, ended)
        os.close(status)


def _kill_everything() -> None:
    """Kill until nothing is left below this process."""
    while True:
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:  # all who have ended: each look at the rest takes long
                pass
        except ChildProcessError:
            return


def _receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    descriptors = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(MESSAGE_SIZE_MAX_BYTES, socket.CMSG_SPACE(2 * descriptors.itemsize))
    for _, _, content in ancillary:
        descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    return data, list(descriptors)


def main(descriptor: int) -> None:
    """Serve requests until the other end of the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    room.call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    connection = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    children = _Children(selector)
    try:
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            children.reap()
            if connection in ready:
                data, descriptors = _receive(connection)
                if not data:
                    return
                request = json.loads(data)
                if "forget" in request:
                    children.rooms.forget(request["forget"])
                else:
                    children.add(request, *descriptors)
    finally:
        _kill_everything()


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""The process that starts every execution environment, and sees to it that none is left behind.

It is started by `launcher.Launcher` and is its only client. It has one thread, so a child's parent-death signal
(which Linux ties to the thread that forked, prctl(2)) fires exactly when this process ends; and it is a child
subreaper, so what a handler starts in the background is found here too. When the emulator goes, however it goes,
its end of the socket closes, and everything below this process is killed, frozen processes included.

In: requests over a Unix socket, JSON with two file descriptors (output, status). Out, on the status descriptor:
`{"pid": n}` when started, `{"exit": n|null, "signal": n|null}` when ended. Standard library only; knows no Lambda.
"""

import array
import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x00020000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MESSAGE_SIZE_MAX_BYTES = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())


def _private_tmp(size_mb: int, keep: list[str]) -> None:
    """Give this process its own empty `/tmp` of `size_mb`; paths of `keep` that lie below /tmp stay reachable."""
    _call("unshare", CLONE_NEWNS)
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    kept = []
    for path in sorted(keep):
        descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
        kept.append((path, descriptor))
    _mount("tmpfs", "/tmp", "tmpfs", 0, f"size={size_mb}m,mode=1777")
    for path, descriptor in kept:
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", path, "", MS_BIND | MS_REC)
        os.close(descriptor)


def _become(request: dict[str, Any], output: int, parent: int) -> None:
    """In the forked child: set the process up, then turn into the runtime."""
    os.setsid()
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if request["tmp_size_mb"]:
        _private_tmp(request["tmp_size_mb"], request["keep"])
    os.chdir(request["cwd"])
    os.execve(request["argv"][0], request["argv"], request["env"])


def _start(request: dict[str, Any], output: int) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _become(request, output, parent)
    except OSError as error:
        os.write(2, f"cannot start {request['argv'][0]}: {error}\n".encode())
    finally:
        os._exit(127)


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
        self._status: dict[int, tuple[int, int]] = {}

    def add(self, request: dict[str, Any], output: int, status: int) -> None:
        pid = _start(request, output)
        os.close(output)
        handle = os.pidfd_open(pid)
        self._status[pid] = (status, handle)
        self._selector.register(handle, selectors.EVENT_READ)
        _tell(status, {"pid": pid})

    def reap(self) -> None:
        """Collect who has ended; orphans of handlers that were handed to us as well."""
        while True:
            try:
                pid, state = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._status:
                self._ended(pid, os.waitstatus_to_exitcode(state))

    def _ended(self, pid: int, code: int) -> None:
        status, handle = self._status.pop(pid)
        self._selector.unregister(handle)
        os.close(handle)
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        _tell(status, {"exit": code if code >= 0 else None, "signal": -code if code < 0 else None})
        os.close(status)


def _kill_everything() -> None:
    """Kill until nothing is left below this process."""
    while True:
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
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
    _call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
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
                output, status = descriptors
                children.add(json.loads(data), output, status)
    finally:
        _kill_everything()


if __name__ == "__main__":
    main(int(sys.argv[1]))

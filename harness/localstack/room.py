"""A private view of the file system for one execution environment: what Lambda's sandbox looks like from inside.

The function's code is at /var/task and cannot be written; /tmp is its own, empty at first and no larger than the
configured ephemeral storage (AWS: "Lambda quotas", /tmp 512 MB to 10,240 MB); its user has Lambda's name for it
(see `sandbox_user`). Everything else is the machine's, bound in place. Nothing is created on
the machine itself: the view is a mount namespace that goes with its last process.

In: a description. Out: the calling process, changed. Linux only; needs the right to mount, or user namespaces.
"""

import contextlib
import ctypes
import os
import shlex
from pathlib import Path
from typing import Any, TypedDict

from harness.localstack import sandbox_user

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
TMP = "tmp"
ENTRY_POINT = "lambda-entrypoint.sh"
"""What Lambda's base images start; they, and functions at their root, have it."""

libc = ctypes.CDLL(None, use_errno=True)


class View(TypedDict):
    """What differs from the machine's own file system."""

    tmp_size_mb: int
    processes_max: int
    """Processes and threads that may live in it at once."""
    binds: dict[str, str]
    """Path inside (such as /var/task) to directory outside; read-only."""
    keep: list[str]
    """Files and directories below the machine's /tmp that stay reachable."""
    python: str
    """The interpreter that the entry point of Lambda's base images starts the runtime with."""


def call(name: str, *arguments: Any) -> None:
    """Call into libc.

    Raises:
        OSError: it failed.
    """
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())


def _bind(source: str, target: str) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if not Path(target).exists():
            Path(target).touch()
    _mount(source, target, "", MS_BIND | MS_REC)


def enter(view: View, uid: int) -> None:
    """Give the calling, single-threaded process its own view, in which `uid` has the sandbox user's name.

    Raises:
        OSError: not permitted here.
    """
    _unshare(uid)
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    root = "/tmp"
    outside = os.open(root, os.O_PATH | os.O_DIRECTORY)
    kept = {path: os.open(path, os.O_PATH) for path in view["keep"] + list(view["binds"].values())}
    _mount("tmpfs", root, "tmpfs", MS_NOSUID, "mode=755")
    _copy_level("/", root, _first_levels(view))
    Path(root, TMP).mkdir()
    _mount("tmpfs", f"{root}/{TMP}", "tmpfs", MS_NOSUID | MS_NODEV, f"size={view['tmp_size_mb']}m,mode=1777")
    for path in view["keep"]:
        _bind(f"/proc/self/fd/{kept[path]}", root + path)
    for inside, path in view["binds"].items():
        _bind(f"/proc/self/fd/{kept[path]}", root + inside)
        _mount("none", root + inside, "", MS_REMOUNT | MS_BIND | MS_RDONLY)
    _lay_over(f"{root}/etc/passwd", sandbox_user.passwd(Path("/etc/passwd").read_text(), uid))
    entry_point = Path(root, ENTRY_POINT)
    entry_point.write_text(f'#!/bin/sh\nexec {shlex.quote(view["python"])} -m awslambdaric "$@"\n')
    entry_point.chmod(0o755)
    for descriptor in (outside, *kept.values()):
        os.close(descriptor)
    _pivot(root)
    # without root, the function's user owns what was put together here
    _mount("none", "/", "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)


def _unshare(uid: int) -> None:
    if os.geteuid() == 0:
        call("unshare", CLONE_NEWNS)
        return
    outer_uid, outer_gid = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{uid} {outer_gid} 1")


def _lay_over(path: str, content: str) -> None:
    """Show other content in place of a file."""
    other = Path("/tmp", ".laid-over")
    other.write_text(content)
    other.chmod(0o644)
    _bind(str(other), path)
    other.unlink()


def _first_levels(view: View) -> set[str]:
    """Directories in which something is added, so that they must be ours to write: /var for /var/task."""
    return {str(Path(inside).parent) for inside in view["binds"]}


def _copy_level(directory: str, root: str, ours: set[str]) -> None:
    """Bind every entry of `directory`, descending where something of ours is to be added."""
    for entry in os.scandir(directory):
        target = root + entry.path
        if entry.path == f"/{TMP}":
            continue
        if entry.is_symlink():
            Path(target).symlink_to(Path(entry.path).readlink())
        elif entry.path in ours:
            Path(target).mkdir()
            _copy_level(entry.path, root, ours)
        else:
            with contextlib.suppress(FileNotFoundError):
                _bind(entry.path, target)


def _pivot(root: str) -> None:
    os.chdir(root)
    call("syscall", ctypes.c_long(_PIVOT_ROOT[os.uname().machine]), b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")


_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

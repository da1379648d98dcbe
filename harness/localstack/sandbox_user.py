"""Who a function is inside its execution environment: a user without rights, not the emulator's.

As root each environment gets a user id of its own, so that the limit on processes counts this environment's alone, and
keeps one capability: to read what it is given wherever on this machine that lies. Without root, in a user namespace,
the emulator's user appears under the sandbox user's id, without rights beyond its files.

In: the calling process, about to become a runtime. Out: the same process under another identity. Linux only.
"""

import ctypes
import os
from pathlib import Path

NAME = "sbx_user1051"
"""As recorded on AWS 2025-11-24 (LocalStack test_lambda.snapshot.json, test_runtime_introspection_x86)."""
UID = 993
"""Inside a user namespace; as root each environment has another."""
FIRST_UID, UIDS = 20_000, 40_000
"""A range that neither Debian's nor Red Hat's user management hands out, and that fits a container's own range."""
CAP_DAC_READ_SEARCH = 2
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def can_change() -> bool:
    """Whether this process may become other users that read what it can read."""
    if os.geteuid() != 0:
        return False
    [effective] = [
        line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")
    ]
    return bool(int(effective, 16) >> CAP_DAC_READ_SEARCH & 1)


def passwd(text: str, uid: int) -> str:
    """A user database with the sandbox user in it."""
    return f"{text.rstrip()}\n{NAME}:x:{uid}:{uid}::/home/{NAME}:/sbin/nologin\n"


def become(uid: int) -> None:
    """Be `uid` from now on, for good; descriptors 1 and 2 can be opened anew through /dev/stdout and /dev/stderr.

    Raises:
        OSError: not permitted here; see `can_change`.
    """
    os.fchown(1, uid, uid)
    _check(_libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kept = 1 << CAP_DAC_READ_SEARCH
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    _check(_libc.capset(header, effective_permitted_inheritable), "capset")
    _check(_libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0), "prctl")


def _check(result: int, name: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")

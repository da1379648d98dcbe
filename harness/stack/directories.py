"""Private directories in the machine's temporary one: locked while their owner lives, removed once it does not.

In: what the name begins with. Out: a directory for one block. The kernel drops a lock however its owner ends, so what
one that was killed has left is removed by the next to ask for one of that name. Standard library only.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError

STACK = "nrt-harness-"
LOCUST = "nrt-locust-"
LOCK = "lock"
# A directory has its lock within moments; without one for so long it is what a removal that was cut short left.
UNLOCKED_FOR_S = 60.0


@contextmanager
def private_directory(prefix: str = STACK) -> Iterator[Path]:
    """A directory that is this process's own for the block, and gone after it.

    Raises:
        HarnessError: none can be made there.
    """
    remove_stale(prefix)
    wanted = os.environ.get("TMPDIR")
    if wanted and not (Path(wanted).is_dir() and os.access(wanted, os.W_OK | os.X_OK)):
        raise HarnessError(f"TMPDIR {wanted}: not a directory that can be written to: name another")
    try:
        directory = Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as error:
        raise HarnessError(f"no private directory can be made in {tempfile.gettempdir()}: {error}") from error
    try:
        with (directory / LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def remove_stale(prefix: str) -> None:
    """Remove what owners that were killed have left: nobody holds their lock any more, or it is gone."""
    for directory in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            if not (directory / LOCK).exists():
                if time.time() - directory.stat().st_mtime > UNLOCKED_FOR_S:
                    shutil.rmtree(directory, ignore_errors=True)
                continue
            with (directory / LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)

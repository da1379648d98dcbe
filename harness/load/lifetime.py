"""What a load process asks of the kernel: to end with its parent, and to be on time.

Knows nothing of what the process does.
"""

import ctypes
import os
import signal

from harness.priority import prioritize

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent ends, however it ends (prctl(2), PR_SET_PDEATHSIG).

    The kernel counts the end of the *thread* that started this process as the parent's end: start it from a thread
    that lives as long as it should.
    """
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGTERM)


def take_priority(niceness: int) -> None:
    """Ask to run before the system under test, so that a machine it keeps busy does not make the load late."""
    prioritize(os.getpid(), niceness)

"""How a load process ends: with its parent, or when it is told to.

Knows nothing of what the process does.
"""

import ctypes
import os
import signal

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

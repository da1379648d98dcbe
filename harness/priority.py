"""Who runs first on a busy machine.

In: a process and how urgent it is. Knows nothing of what the process does.
"""

import os
from contextlib import suppress
from pathlib import Path


def prioritize(pid: int, niceness: int) -> None:
    """Have a process, and what it starts from now on, run before what is less urgent.

    Only root may make it more urgent (nice(2)); for others nothing changes, nor does it for a process that has ended.
    Where the kernel schedules whole sessions (sched(7), autogroups), niceness counts within a session only: a process
    that leads one has its session asked for as well. A session that its children begin starts at 0 there again.
    """
    with suppress(PermissionError, ProcessLookupError, FileNotFoundError):
        if os.getpriority(os.PRIO_PROCESS, pid) > niceness:
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
        now = session_niceness(pid)
        if now is not None and now > niceness and os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def session_niceness(pid: int) -> int | None:
    """How urgent the session of a process is among sessions; None where the kernel does not schedule it as a whole.

    Raises:
        ProcessLookupError, FileNotFoundError: the process has ended.
    """
    autogroup = Path(f"/proc/{pid}/autogroup")
    if not autogroup.with_name("stat").exists():
        raise ProcessLookupError(pid)
    said = autogroup.read_text() if autogroup.exists() else ""
    return int(said.rpartition(" ")[2]) if said else None

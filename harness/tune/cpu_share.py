"""The share of a CPU that Lambda gives a function, enforced on a process and everything it starts.

AWS: "At 1,769 MB, a function has the equivalent of one vCPU", and CPU goes in proportion to memory (Lambda Developer
Guide, "Configure Lambda function memory"). In: a share, 1.0 being one CPU. Out: a `CpuShare` that starts a process
inside its bound. Where the kernel lets us have a control group (root, or a delegated one), that bounds it: version 1's
cpu.cfs_quota_us or version 2's cpu.max. Elsewhere the process group is stopped and continued by its measured CPU time,
which holds on average, not within each period.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

FULL_CPU_MB = 1_769
# Lambda was seen to hand out CPU in periods of 20 ms (Opsgenie, "How does proportional CPU allocation work with AWS
# Lambda?", 2018); a function that has used up its part stands still for the rest of the period.
PERIOD_US = 20_000
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WATCH_EVERY_S = 0.005
# How much unused share can be saved up: what a control group would let burn at most in one period.
SAVED_UP_MAX_S = 0.1
ENTER = "import os,sys; open(sys.argv[1],'w').write(str(os.getpid())); os.execv(sys.argv[2],sys.argv[2:])"


def share_of(memory_mb: int) -> float:
    """CPUs that a function of this size has."""
    return memory_mb / FULL_CPU_MB


class CpuShare(Protocol):
    """A bound on the CPU of one process tree."""

    kind: str

    def argv(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The command that runs `argv` inside the bound."""
        ...

    def watch(self, pid: int) -> None:
        """Told once the process runs: `pid` leads its own process group."""
        ...

    def close(self) -> None:
        """The process has ended."""
        ...


class ControlGroup:
    """A control group of our own."""

    def __init__(self, directory: Path, procs: str, kind: str) -> None:
        self.kind = kind
        self._directory, self._procs = directory, procs

    def argv(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        return (sys.executable, "-I", "-S", "-c", ENTER, str(self._directory / self._procs), *argv)

    def watch(self, pid: int) -> None:
        """It went in by itself, before it was what it is."""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._directory.rmdir()


class DutyCycle:
    """Stops the process group when it has used more than its share, and lets it go on when it is due again."""

    kind = "SIGSTOP and SIGCONT by CPU time"

    def __init__(self, share: float) -> None:
        self._share = share
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def argv(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        return argv

    def watch(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._keep, args=(pid,), name=f"cpu-share-{pid}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self, pid: int) -> None:
        """A token bucket: time fills it at the share, CPU time empties it; below nothing the process stands still."""
        saved_s, before_s, used_s, stopped = 0.0, time.monotonic(), cpu_s(pid), False
        while not self._ended.wait(WATCH_EVERY_S):
            now_s, now_used_s = time.monotonic(), cpu_s(pid)
            saved_s = min(SAVED_UP_MAX_S, saved_s + (now_s - before_s) * self._share - (now_used_s - used_s))
            before_s, used_s = now_s, now_used_s
            if (saved_s < 0) != stopped:
                stopped = not stopped
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGSTOP if stopped else signal.SIGCONT)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, its threads and the children it has waited for; 0 when it is gone."""
    try:
        schedule = sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir())
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return 0.0
    return schedule / 1e9 + (int(fields[13]) + int(fields[14])) / TICKS_PER_S


def _version_1(name: str, share: float) -> ControlGroup | None:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            for root in ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"):
                found = _made(Path(root) / path.lstrip("/") / name, {
                    "cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(max(1_000, round(share * PERIOD_US))),
                })  # fmt: skip
                if found:
                    return ControlGroup(found, "cgroup.procs", "control group, version 1")
    return None


def _version_2(name: str, share: float) -> ControlGroup | None:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            quota = {"cpu.max": f"{max(1_000, round(share * PERIOD_US))} {PERIOD_US}"}
            if found := _made(Path("/sys/fs/cgroup") / path.lstrip("/") / name, quota):
                return ControlGroup(found, "cgroup.procs", "control group, version 2")
    return None


def _made(directory: Path, settings: dict[str, str]) -> Path | None:
    """The group, if the kernel lets us have it and takes its settings."""
    if not directory.parent.is_dir():
        return None
    try:
        directory.mkdir()
    except OSError:
        return None
    try:
        for file, value in settings.items():
            (directory / file).write_text(value)
    except OSError:
        with contextlib.suppress(OSError):
            directory.rmdir()
        return None
    return directory


@contextmanager
def cpu_share(share: float, *, groups: bool = True) -> Iterator[CpuShare]:
    """The best bound there is here; `groups=False` takes the one that needs no rights."""
    name = f"nrt-tune-{os.getpid()}-{time.monotonic_ns()}"
    makers: tuple[Callable[[str, float], ControlGroup | None], ...] = (_version_1, _version_2) if groups else ()
    found: CpuShare = next((made for make in makers if (made := make(name, share))), None) or DutyCycle(share)
    try:
        yield found
    finally:
        found.close()

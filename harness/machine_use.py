"""How much of this machine's CPU others took while a run went on.

In: a stack on this machine. Out: the fields of a `machine_use` event. The run's own share is that of the harness, the
stack and all their descendants, those that have ended included.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from harness.stack.endpoints import Endpoints


@dataclass(frozen=True)
class Reading:
    """CPU seconds since the machine and the processes began; `at_s` is monotonic."""

    at_s: float
    busy_s: float
    own_s: float

    @classmethod
    def take(cls, endpoints: Endpoints) -> "Reading":
        """Read the clocks of the machine and of the run's processes."""
        times = psutil.cpu_times()
        busy_s = sum(getattr(times, name) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
        own_s = sum(_cpu_s(process) for process in _own(endpoints))
        return cls(time.monotonic(), busy_s, own_s)

    def used_since(self, before: "Reading") -> dict[str, float]:
        """The event's fields: how long, and the shares (0 to 1) of all CPUs that the run and that others took."""
        elapsed_s = max(self.at_s - before.at_s, 1e-9) * (os.cpu_count() or 1)
        own = max(0.0, self.own_s - before.own_s) / elapsed_s
        busy = (self.busy_s - before.busy_s) / elapsed_s
        return {
            "elapsed_s": round(self.at_s - before.at_s, 3),
            "own_share": round(own, 4),
            "others_share": round(max(0.0, busy - own), 4),
        }


def _own(endpoints: Endpoints) -> Iterator[psutil.Process]:
    seen: set[int] = set()
    for pid in (os.getpid(), *endpoints.pids.values()):
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            continue  # a part that was ended and started again
        for process in family:
            if process.pid not in seen:
                seen.add(process.pid)
                yield process


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)

"""How much of the machine's CPU others took while a run went on.

In: a stack. Out: the fields of a `machine_use` event. The run's own share is that of the harness, the stack and all
their descendants, those that have ended included; on the compose stack that of its containers, as they tell it
themselves. What the engine does for them (networks, logs) is counted as others'. On AWS this machine has no part in
what functions take.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil

from harness import container_use
from harness.container_use import ContainerUse
from harness.stack import compose, compose_project
from harness.stack.endpoints import Endpoints

# How far apart containers, which tell every second, may have told last; one that is longer silent is away.
TOLD_WITHIN_S = 10.0


@dataclass(frozen=True)
class Reading:
    """CPU seconds since the machine and each of the run's own parts began; `at_s` is monotonic."""

    at_s: float
    cpus: int
    busy_s: float
    own_s: dict[str, float]

    @classmethod
    def take(cls, endpoints: Endpoints) -> "Reading | None":
        """Read the clocks of the machine and of the run's parts; None where they cannot be read."""
        if endpoints.on_aws is not None:
            return None
        if endpoints.inside is not None:
            return of_containers(compose.told_use(), container_use.kernel_of())
        times = psutil.cpu_times()
        busy_s = sum(getattr(times, name) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
        return cls(time.monotonic(), os.cpu_count() or 1, busy_s, {"processes": _processes_s(endpoints.pids.values())})

    def used_since(self, before: "Reading") -> dict[str, float]:
        """The event's fields: how long, and the shares (0 to 1) of all CPUs that the run and that others took."""
        elapsed_s = max(self.at_s - before.at_s, 1e-9)
        # What is there no more is not known to have taken anything; what is new began with nothing.
        own_s = sum(max(0.0, used_s - before.own_s.get(part, 0.0)) for part, used_s in self.own_s.items())
        own, busy = own_s / elapsed_s / self.cpus, (self.busy_s - before.busy_s) / elapsed_s / self.cpus
        return {
            "elapsed_s": round(elapsed_s, 3),
            "own_share": round(own, 4),
            "others_share": round(max(0.0, busy - own), 4),
        }


def of_containers(told: list[ContainerUse], kernel_here: str) -> Reading | None:
    """What the containers told, and this process's own family beside them where it has the same kernel (not with an
    engine in a machine of its own); None unless each service told it lately."""
    newest = max(told, key=lambda used: used.at_s, default=None)
    lately = {used.container: used.own_s for used in told if newest and newest.at_s - used.at_s <= TOLD_WITHIN_S}
    if newest is None or not lately.keys() >= set(compose_project.SERVICES):
        return None
    own_s = {used.container: used.own_s for used in told}
    if newest.kernel == kernel_here and not compose.is_inside():
        own_s["processes"] = _processes_s(())
    return Reading(newest.at_s, newest.cpus, newest.busy_s, own_s)


def _processes_s(pids: Iterable[int]) -> float:
    return sum(map(_cpu_s, _family(pids)))


def _family(pids: Iterable[int]) -> Iterator[psutil.Process]:
    seen: set[int] = set()
    for pid in (os.getpid(), *pids):
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

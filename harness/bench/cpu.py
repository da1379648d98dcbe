"""CPU by component while a run goes on, as the kernel and the emulator count it.

In: the pids of a stack, and this process, which starts the load. Out: cumulative seconds by component over time, and
their difference between two moments. Looking costs CPU of its own, which is a component too.
"""

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.stack.endpoints import Endpoints

LOOK_EVERY_S = 2.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")

GENERATOR, LOCUST, HARNESS, METER = "generator", "locust", "probes and ledger", "this measurement"
HANDLER, GATEWAY, SUPERVISOR = "handler", "gateway", "supervisor"
POSTGRES, POSTGRES_PROBES = "postgresql: copy and merge", "postgresql: probes"
EMULATOR_REST = "emulator: http and the rest"
_LOAD = {"harness.load.feeder": GENERATOR, "harness.load.dispatch": LOCUST}
LOAD_AND_PROBES = (GENERATOR, LOCUST, HARNESS, POSTGRES_PROBES)


@dataclass(frozen=True)
class Process:
    """A process as proc_pid_stat(5) shows it; `reaped_s` is what its ended children had taken."""

    pid: int
    command: str
    own_s: float
    reaped_s: float


def _read(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    # what follows the name, which may hold anything: the state is the first, utime, stime, cutime, cstime from the 12th
    user, system, reaped_user, reaped_system = map(int, stat.rpartition(")")[2].split()[11:15])
    return Process(pid, command, (user + system) * _TICK_S, (reaped_user + reaped_system) * _TICK_S)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, tasks.read_text().split())
    return found


def tree(pid: int) -> Iterator[Process]:
    """A process and all its live descendants."""
    if (process := _read(pid)) is not None:
        yield process
        for child in _children(pid):
            yield from tree(child)


def _load_of(command: str) -> str | None:
    return next((component for module, component in _LOAD.items() if module in command), None)


@dataclass(frozen=True)
class Sources:
    """Where to look: the stack's processes, this one, and the file in which the emulator counts by service."""

    pids: Mapping[str, int]
    cpu_file: Path

    def look(self) -> dict[str, float]:
        """Seconds of CPU since each process began, by component."""
        seconds: dict[str, float] = defaultdict(float)
        for pid in _children(os.getpid()):
            if (process := _read(pid)) and (component := _load_of(process.command)):
                seconds[component] += process.own_s
        own = _read(os.getpid())
        seconds[HARNESS] = own.own_s if own else 0.0
        if supervisor := _read(self.pids["supervisor"]):
            seconds[SUPERVISOR] = supervisor.own_s
        self._look_at_warehouse(seconds)
        self._look_at_emulator(seconds)
        return dict(seconds)

    def _look_at_warehouse(self, seconds: dict[str, float]) -> None:
        seconds[GATEWAY] = sum(process.own_s for process in tree(self.pids["redshift"]))
        for process in tree(self.pids["postgres"]):
            # "postgres: nrt-harness: USER DATABASE ADDRESS …": only probes and accounting connect as its superuser
            is_probe = process.command.startswith("postgres: nrt-harness: nrt ")
            seconds[POSTGRES_PROBES if is_probe else POSTGRES] += process.own_s + process.reaped_s

    def _look_at_emulator(self, seconds: dict[str, float]) -> None:
        emulator = self.pids["emulator"]
        whole_s = 0.0
        for process in tree(emulator):
            if process.pid == emulator:
                whole_s = process.own_s
                seconds[HANDLER] += process.reaped_s
            else:
                seconds[HANDLER] += process.own_s + process.reaped_s
        try:
            by_service: dict[str, float] = json.loads(self.cpu_file.read_text())
        except (OSError, json.JSONDecodeError):
            by_service = {}
        for service, spent_s in by_service.items():
            seconds[f"emulator: {service}"] = spent_s
        seconds[EMULATOR_REST] = whole_s - sum(by_service.values())


@dataclass
class Meter:
    """What `look` found, again and again, with the times of the looks (epoch seconds)."""

    sources: Sources
    looks: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    _spent_s: float = 0.0

    def look(self) -> None:
        """Look once."""
        began_s = time.thread_time()
        found = self.sources.look()
        self._spent_s += time.thread_time() - began_s
        found[HARNESS] -= self._spent_s
        self.looks.append((time.time(), found | {METER: self._spent_s}))

    def between(self, from_s: float, to_s: float) -> dict[str, float]:
        """Seconds of CPU by component from one moment to the other, to the looks nearest to them.

        A process that ended in between counts as far as it was seen.
        """
        if not self.looks:
            return {}
        first_at_s, first = min(self.looks, key=lambda look: abs(look[0] - from_s))
        spent: dict[str, float] = {}
        for at_s, found in self.looks:
            if first_at_s <= at_s <= to_s + LOOK_EVERY_S / 2:
                for component, seconds in found.items():
                    spent[component] = max(spent.get(component, 0.0), seconds - first.get(component, 0.0))
        return spent

    def most(self, component: str) -> float:
        """Seconds of CPU of a component since it began."""
        return max((found.get(component, 0.0) for _, found in self.looks), default=0.0)


@contextmanager
def metering(endpoints: Endpoints, cpu_file: Path) -> Iterator[Meter]:
    """A meter that looks every two seconds for as long as the block lasts."""
    meter, stop = Meter(Sources(endpoints.pids, cpu_file)), threading.Event()

    def keep_looking() -> None:
        while not stop.wait(LOOK_EVERY_S):
            meter.look()

    meter.look()
    thread = threading.Thread(target=keep_looking, name="cpu-meter")
    thread.start()
    try:
        yield meter
    finally:
        stop.set()
        thread.join()
        meter.look()

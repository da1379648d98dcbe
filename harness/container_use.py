"""How much CPU a container of the compose stack has used: each says so in the volume that all of them share.

In: what any container may read, its own control group's counter and /proc/stat, which is the machine's. Out:
`cpu-<container>.json` in the shared directory, written anew every second: {"container", "kernel", "at_s", "own_s",
"busy_s", "cpus"}. A service that is killed and started again counts on. Standard library only: the images that it is in
have little in common.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

EVERY_S = 1.0
PATTERN = "cpu-*.json"
CONTROL_GROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# user nice system idle iowait irq softirq steal (proc(5)); guests' time is in user's and nice's already
_BUSY = (0, 1, 2, 5, 6, 7)


@dataclass(frozen=True)
class ContainerUse:
    """CPU seconds of a container and of all CPUs of its machine. `at_s` is monotonic, `kernel` tells machines apart."""

    container: str
    kernel: str
    at_s: float
    own_s: float
    busy_s: float
    cpus: int


def kernel_of(proc: Path = PROC) -> str:
    """What tells this start of this machine's kernel from any other, in containers as well; empty if it is no Linux."""
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return ""


def take(container: str, groups: Path = CONTROL_GROUPS, proc: Path = PROC) -> ContainerUse:
    """Read the counters now.

    Raises:
        OSError: this is no container, or its control group does not count CPU time.
    """
    first, *further = (proc / "stat").read_text().splitlines()
    ticks = [int(word) for word in first.split()[1:]]
    return ContainerUse(
        container,
        kernel_of(proc),
        time.monotonic(),
        _own_s(groups),
        sum(ticks[column] for column in _BUSY) / _TICKS_PER_S,
        sum(line.startswith("cpu") for line in further),
    )


def _own_s(groups: Path) -> float:
    version_2 = groups / "cpu.stat"
    if version_2.exists():
        counters = dict(line.split() for line in version_2.read_text().splitlines())
        return int(counters["usage_usec"]) / 1e6
    return int((groups / "cpuacct" / "cpuacct.usage").read_text()) / 1e9


def read_all(directory: Path) -> list[ContainerUse]:
    """What every container has said last."""
    found = []
    for path in directory.glob(PATTERN):
        with suppress(FileNotFoundError):  # it ended at this moment
            found += parse(path.read_text())
    return found


def parse(text: str) -> list[ContainerUse]:
    """The same, of their lines."""
    return [ContainerUse(**json.loads(line)) for line in text.splitlines()]


class Teller:
    """Writes one container's file; `container` is what it is called among the others."""

    def __init__(self, directory: Path, container: str, groups: Path = CONTROL_GROUPS, proc: Path = PROC) -> None:
        self._container, self._groups, self._proc = container, groups, proc
        self._path = directory / PATTERN.replace("*", container)
        self._before_s = 0.0
        with suppress(OSError, ValueError, TypeError):
            (last,) = parse(self._path.read_text())
            self._before_s = last.own_s  # of a life that ended: the counter began anew

    def tell(self) -> None:
        """Write the file, whole at once."""
        used = take(self._container, self._groups, self._proc)
        said = asdict(used) | {"own_s": self._before_s + used.own_s}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(said) + "\n")
        new.replace(self._path)

    def keep_telling(self, stop: threading.Event) -> None:
        """Write it every second until `stop`, then remove it; not at all where there is nothing to read or no room."""
        with suppress(OSError, KeyError, ValueError):
            self.tell()
            while not stop.wait(EVERY_S):
                self.tell()
            self._path.unlink(missing_ok=True)


@contextmanager
def told(directory: Path, container: str) -> Iterator[None]:
    """This container's use is told for as long as the block lasts."""
    teller, stop = Teller(directory, container), threading.Event()
    thread = threading.Thread(target=teller.keep_telling, args=(stop,), name="container-use", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def main() -> None:
    """Tell until the container ends: for one whose program is somebody else's."""
    directory, container = sys.argv[1:]
    Teller(Path(directory), container).keep_telling(threading.Event())


if __name__ == "__main__":
    main()

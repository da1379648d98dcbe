"""The clock of a run's faults: injects each at its time, heals each at its end, and all of them when asked.

In: a scenario's timed faults. Out: `fault` events, {"name", "action": "begin"|"inject"|"heal", "effect"}: it
begins, the harm is there, and it is undone. The effect is what a fault did, in a few words; null for nothing.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.faults.site import Site
from harness.ledger import Ledger
from harness.scenario import Timed


@dataclass
class Timeline:
    """The faults of one run."""

    faults: tuple[Timed, ...]
    site: Site
    ledger: Ledger
    clock: Callable[[], float] = time.time
    _healers: dict[int, Callable[[], str | None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Inject what is to be there before the first upload."""
        for number, timed in enumerate(self.faults):
            if timed.at_s <= 0:
                self._inject(number)

    def keep(self, start_at_s: float, loaded: threading.Event) -> None:
        """Keep to the timeline, from the start of the schedule on until every fault has its time behind it.

        `loaded` is set when the last upload has ended; what had not begun by then does not begin any more.
        """
        moments = [(timed.at_s, 1, number) for number, timed in enumerate(self.faults) if timed.at_s > 0]
        moments += [
            (timed.at_s + timed.for_s, 0, number) for number, timed in enumerate(self.faults) if timed.for_s is not None
        ]
        for at_s, is_inject, number in sorted(moments):
            is_due_s = start_at_s + at_s
            if is_inject:
                if not loaded.wait(max(0.0, is_due_s - self.clock())):
                    self._inject(number)
            else:
                self._wait(is_due_s)
                self._heal(number)
        loaded.wait()
        self.heal_all()

    def heal_all(self) -> None:
        """Heal what is still there; safe to call again."""
        for number in range(len(self.faults)):
            self._heal(number)

    def _wait(self, until_s: float) -> None:
        while (left_s := until_s - self.clock()) > 0 and self._healers:
            time.sleep(min(left_s, 0.2))

    def _inject(self, number: int) -> None:
        fault = self.faults[number].fault
        self.ledger.append("fault", name=fault.name, action="begin")
        healer = fault.inject(self.site)
        with self._lock:
            self._healers[number] = healer
        self.ledger.append("fault", name=fault.name, action="inject")

    def _heal(self, number: int) -> None:
        with self._lock:
            healer = self._healers.pop(number, None)
        if healer is not None:
            effect = healer()
            self.ledger.append("fault", name=self.faults[number].fault.name, action="heal", effect=effect)

"""How many execution environments this machine may hold at once, and who has to go when one more is needed.

AWS has no such limit beneath the account's concurrency; a laptop has. So the limit is explicit, and reaching it is
logged: an idle environment is ended first (AWS does that too, at a time of its choosing); only when none is idle does
the newcomer wait. In: environments that start, idle and end. Knows nothing about what an environment is.
"""

import logging
import threading
import time
from typing import Protocol

LOG = logging.getLogger(__name__)


class Evictable(Protocol):
    """An idle environment whose process can be ended."""

    def hibernate(self) -> None:
        """End the process and give its slot back."""
        ...


class Capacity:
    """A counted number of slots, with the idle holders in order of their last use."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._alive = 0
        self._waiting = 0
        self._idle: dict[Evictable, None] = {}
        self._changed = threading.Condition()

    def acquire(self) -> float:
        """Take a slot, ending an idle environment or waiting if there is none; returns the seconds it took."""
        began = time.monotonic()
        while True:
            with self._changed:
                if self._alive < self.most:
                    self._alive += 1
                    return time.monotonic() - began
                victim = next(iter(self._idle), None)
                if victim is None:
                    self._wait()
                    continue
                del self._idle[victim]
            LOG.info("%d execution environments are alive, the limit: ending an idle one", self.most)
            victim.hibernate()

    def _wait(self) -> None:
        if not self._waiting:
            LOG.warning(
                "all %d execution environments this machine may hold are busy (NRT_MAX_ENVIRONMENTS): invokes wait",
                self.most,
            )
        self._waiting += 1
        self._changed.wait()
        self._waiting -= 1

    def release(self) -> None:
        """Give a slot back."""
        with self._changed:
            self._alive -= 1
            self._changed.notify()

    def idle(self, environment: Evictable) -> None:
        """It may be ended when a slot is needed."""
        with self._changed:
            self._idle[environment] = None
            self._changed.notify()

    def busy(self, environment: Evictable) -> None:
        """It may not be ended."""
        with self._changed:
            self._idle.pop(environment, None)

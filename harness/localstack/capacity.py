"""How many execution environments this machine may hold and start at once, and who has to go when one more is needed.

AWS has no such limits beneath the account's concurrency; a laptop has. So they are explicit, and reaching one is
logged: an idle environment is ended first (AWS does that too, at a time of its choosing); only when none is idle does
the newcomer wait. Starts wait for each other because they are CPU: a hundred at a time on two cores end together after
minutes, each over its limit, where eight at a time are ready one after the other. In: environments that start, idle and
end. Knows nothing about what an environment is.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LOG = logging.getLogger(__name__)
STARTS_PER_CORE = 4
"""Few enough to be ready in time on a core, enough for functions that wait while they initialise."""


class Evictable(Protocol):
    """An idle environment whose process can be ended."""

    def hibernate(self) -> None:
        """End the process and give its slot back."""
        ...


class Capacity:
    """A counted number of slots, with the idle holders in order of their last use, and of turns to start."""

    def __init__(self, most: int, most_starts: int = STARTS_PER_CORE) -> None:
        self.most, self.most_starts = most, most_starts
        self._turns = threading.Semaphore(most_starts)
        self._alive = 0
        self._waiting = 0
        self._idle: dict[Evictable, None] = {}
        self._ending: set[Evictable] = set()
        lock = threading.Lock()
        self._changed, self._ended = threading.Condition(lock), threading.Condition(lock)

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
                self._ending.add(victim)
            LOG.info("%d execution environments are alive, the limit: ending an idle one", self.most)
            try:
                victim.hibernate()
            finally:
                with self._changed:
                    self._ending.discard(victim)
                    self._ended.notify_all()

    @contextmanager
    def turn_to_start(self) -> Iterator[float]:
        """A turn for an environment to start in, as long as the block; gives the seconds it was waited for."""
        began = time.monotonic()
        if not self._turns.acquire(blocking=False):
            LOG.info("%d execution environments are starting (NRT_MAX_STARTS): others wait for them", self.most_starts)
            self._turns.acquire()
        try:
            yield time.monotonic() - began
        finally:
            self._turns.release()

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
        """It may not be ended; if its end has begun, this returns when that is over. Not while it is locked.

        So nobody who needs room waits, unseen, for an invoke that had begun the moment before.
        """
        with self._changed:
            self._idle.pop(environment, None)
            while environment in self._ending:
                self._ended.wait()

    def gone(self, environment: Evictable) -> None:
        """It is ended by somebody else."""
        with self._changed:
            self._idle.pop(environment, None)

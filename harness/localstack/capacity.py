"""How many execution environments this machine may hold and start at once, and who has to go when one more is needed.

AWS has no such limits beneath the account's concurrency; a laptop has. So they are explicit, and reaching one is
logged: an idle environment is ended first (AWS does that too, at a time of its choosing); only when none is idle does
the newcomer wait. Starts wait for each other because they are CPU: a hundred at a time on two cores end together after
minutes, each over its limit, where eight at a time are ready one after the other. For the same reason an invoke that
waits here does not wait for a start of its own only: it goes on as soon as an environment of its function is free. In:
environments that start, idle and end. Knows nothing about what an environment is.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

LOG = logging.getLogger(__name__)
STARTS_PER_CORE = 4
"""Few enough to be ready in time on a core, enough for functions that wait while they initialise."""
SETTLED_S = 5.0
"""Idle for less, an environment is ended for a function that has none, and not for one that has."""


class Evictable(Protocol):
    """An idle environment whose process can be ended."""

    def hibernate(self) -> None:
        """End the process and give its slot back."""
        ...


class Closed(Exception):
    """Nothing is started any more: the emulator ends."""


class TooLate(Exception):
    """What an invoke waited for has not come in the time it had."""


class Turn:
    """Leave to start an environment; others start when it is over. `waited_s`: how long it was waited for."""

    def __init__(self, when_over: Callable[["Turn"], None], waited_s: float) -> None:
        self.waited_s = waited_s
        self._when_over: Callable[[Turn], None] | None = when_over

    @property
    def is_over(self) -> bool:
        """Whether others start in its place."""
        return self._when_over is None

    def over(self) -> None:
        """It is ready, or will not start."""
        when_over, self._when_over = self._when_over, None
        if when_over:
            when_over(self)


@dataclass(frozen=True)
class Admission:
    """What an invoke waited for before it had an environment, s, and its turn to start that, if it is to be started."""

    turn: Turn | None = None
    waited_s: float = 0.0


AT_ONCE = Admission()


@dataclass(eq=False)
class _Waiting:
    """Who waits for a turn: for an environment that has its slot, or (function) an invoke that may do without.

    has_own: whether the function has an environment alive.
    """

    function: str | None = None
    has_own: Callable[[], bool] = lambda: False
    since_s: float = field(default_factory=time.monotonic)
    woken: threading.Event = field(default_factory=threading.Event)
    turn: Turn | None = None


class Capacity:
    """A counted number of slots, with the idle holders in order of their last use, and of turns to start."""

    def __init__(self, most: int, most_starts: int = STARTS_PER_CORE) -> None:
        self.most, self.most_starts = most, most_starts
        self._turns = most_starts
        self._is_closed = False
        self._line: list[_Waiting] = []
        self._coming: set[Turn] = set()  # will ask for a slot, which is counted on already
        self._alive = 0
        self._waiting = 0
        self._idle: dict[Evictable, float] = {}  # and since when
        self._ending: set[Evictable] = set()
        lock = threading.Lock()
        self._changed, self._ended = threading.Condition(lock), threading.Condition(lock)

    def acquire(self, turn: Turn | None = None) -> float:
        """Take a slot, ending an idle environment or waiting if there is none; returns the seconds it took.

        turn: one that was had before the slot.
        """
        began = time.monotonic()
        while True:
            with self._changed:
                if self._alive < self.most:
                    self._alive += 1
                    self._coming.discard(turn)  # type: ignore[arg-type] - None is never in it
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

    def turn(self) -> Turn:
        """A turn to start, for an environment that has its slot."""
        waiting = _Waiting()
        self._join(waiting)
        waiting.woken.wait()
        assert waiting.turn is not None
        return waiting.turn

    def turn_unless_freed(
        self,
        function: str,
        has_own: Callable[[], bool],
        is_free: Callable[[], bool],
        *,
        first: bool = False,
        until_s: float = math.inf,
    ) -> Turn | None:
        """A turn to start an environment of this function; None if one of the function's is free before that.

        first: before all others, as it was called before and what was free was not there any more.
        until_s: how long it waits at most, on `time.monotonic`'s clock.

        Raises:
            Closed: it was closed.
            TooLate: neither came in time.
        """
        waiting = _Waiting(function, has_own)
        self._join(waiting, first=first)
        if is_free():  # since before it was in line, so that nobody will say so
            with self._changed:
                if waiting in self._line:
                    self._line.remove(waiting)
                    return None
        while not waiting.woken.wait(min(SETTLED_S, until_s - time.monotonic())):
            with self._changed:  # what is idle settles without a word
                self._hand_out()
                if waiting in self._line and time.monotonic() >= until_s:
                    self._line.remove(waiting)
                    raise TooLate
        if waiting.turn is None and self._is_closed:
            raise Closed
        return waiting.turn

    def _join(self, waiting: _Waiting, *, first: bool = False) -> None:
        with self._changed:
            self._line.insert(0 if first else len(self._line), waiting)
            self._hand_out()
            if self._is_closed:
                self._send_away()
            if waiting.woken.is_set() or len(self._line) > 1:
                return
            all_start = not self._turns
        if all_start:
            LOG.info("%d execution environments are starting (NRT_MAX_STARTS): others wait for them", self.most_starts)
        else:
            self._say_full()

    def waits(self, function: str) -> bool:
        """Whether an invoke of this function waits."""
        with self._changed:
            return any(waiting.function == function for waiting in self._line)

    def freed(self, function: str) -> None:
        """An environment of this function has answered: the first that waits for one may have it."""
        with self._changed:
            for waiting in self._line:
                if waiting.function == function:
                    self._line.remove(waiting)
                    waiting.woken.set()
                    return

    def close(self) -> None:
        """Send invokes away that wait, and those to come that would have to."""
        with self._changed:
            self._is_closed = True
            self._send_away()

    def _send_away(self) -> None:
        for waiting in [one for one in self._line if one.function is not None]:
            self._line.remove(waiting)
            waiting.woken.set()

    def _hand_out(self) -> None:
        """Give turns to who may start; the lock is held."""
        for waiting in list(self._line):
            if not self._turns:
                return
            if waiting.function is None or self._has_room(waiting):
                self._turns -= 1
                self._line.remove(waiting)
                waiting.turn = Turn(self._over, time.monotonic() - waiting.since_s)
                if waiting.function is not None:
                    self._coming.add(waiting.turn)
                waiting.woken.set()

    def _has_room(self, waiting: _Waiting) -> bool:
        free = self.most - self._alive - len(self._coming)
        if free > 0:
            return True
        since = list(self._idle.values())[-free : 1 - free]
        return bool(since) and (not waiting.has_own() or time.monotonic() - since[0] >= SETTLED_S)

    def _over(self, turn: Turn) -> None:
        with self._changed:
            self._turns += 1
            self._coming.discard(turn)
            self._hand_out()

    def _wait(self) -> None:
        if not self._waiting:
            self._say_full()
        self._waiting += 1
        self._changed.wait()
        self._waiting -= 1

    def _say_full(self) -> None:
        LOG.warning(
            "all %d execution environments this machine may hold are busy (NRT_MAX_ENVIRONMENTS): invokes wait",
            self.most,
        )

    def release(self) -> None:
        """Give a slot back."""
        with self._changed:
            self._alive -= 1
            self._changed.notify()
            self._hand_out()

    def idle(self, environment: Evictable) -> None:
        """It may be ended when a slot is needed."""
        with self._changed:
            self._idle[environment] = time.monotonic()
            self._changed.notify()
            self._hand_out()

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

"""The pipeline as a SimPy model: queue, poller, environments, the stage table's lock, the merge job.

In: a calibration, settings and arrivals. Out: every file's time from delivery to queryable, and what it took to get
there. It is a model: it knows the waiting that the parts make one another, not what else a machine or AWS may do.

The poller scales as `harness.localstack.scaling` does, which is the emulator's own. SimPy runs it with callbacks rather
than a process for each file: a day of 100 files a minute is 430,000 events.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from harness.localstack.scaling import Scaler, ScalingLimits
from harness.simulate.calibration import Calibration, TypeTimes

# How many merge intervals after the last arrival a file may take before it counts as never merged.
PATIENCE_MERGES = 4


@dataclass(frozen=True)
class Settings:
    """What can be chosen. `maximum_concurrency` None is AWS's own limit."""

    merge_every_s: float
    batch_size: int = 1
    batch_window_s: float = 0.0
    maximum_concurrency: int | None = None


@dataclass(frozen=True)
class Arrival:
    """A file: its type, and when it is delivered (seconds from the start)."""

    type: str
    at_s: float


@dataclass(frozen=True)
class Outcome:
    """`latencies_s` is by the arrivals' order, None for a file that was not merged in time."""

    latencies_s: tuple[float | None, ...]
    invocations: int
    function_s: float
    cold_starts: int
    most_concurrent: int
    merge_s: tuple[float, ...]


@dataclass
class _World:
    """What the lanes share. `busy` is the number of invocations that run: they slow one another down."""

    env: simpy.Environment
    calibration: Calibration
    settings: Settings
    draw: random.Random
    latencies_s: list[float | None]
    remaining: int
    all_merged: simpy.Event
    busy: int = 0
    most: int = 0
    invocations: int = 0
    function_s: float = 0.0
    cold_starts: int = 0
    merge_s: list[float] = field(default_factory=list)

    def pick(self, samples: Sequence[float]) -> float:
        return samples[int(self.draw.random() * len(samples))] if samples else 0.0

    def after(self, delay_s: float, then: Callable[[Any], None]) -> None:
        self.env.timeout(delay_s).callbacks.append(then)


class _Lane:
    """One type: its queue, its poller and environments, its stage table."""

    def __init__(self, world: _World, times: TypeTimes, arrivals: list[tuple[float, float, int]]) -> None:
        self._world, self._times = world, times
        self._arrivals = iter(arrivals)  # queued at, delivered at, index
        self._waiting: deque[tuple[float, float, int]] = deque()
        limits = ScalingLimits().capped(world.settings.maximum_concurrency)
        self._scaler = Scaler(limits, lambda: float(world.env.now))
        self._in_flight, self._idle = 0, world.calibration.warm
        self._is_waking = False
        self._lock_taken = False
        self._lock_waiting: deque[Callable[[], None]] = deque()
        self._staged: list[tuple[float, int]] = []
        self._await_next()

    # --- queue and poller

    def _await_next(self) -> None:
        following = next(self._arrivals, None)
        if following is not None:
            self._world.after(max(0.0, following[0] - self._world.env.now), lambda _: self._queued(following))

    def _queued(self, file: tuple[float, float, int]) -> None:
        self._waiting.append(file)
        self._await_next()
        self._dispatch()

    def _dispatch(self, _event: object = None) -> None:
        settings, now = self._world.settings, self._world.env.now
        while self._waiting:
            if self._in_flight >= self._scaler.limit:
                self._scaler.saturated()
                self._wake_in(self._scaler.seconds_to_next)
                return
            closes_s = self._waiting[0][0] + settings.batch_window_s
            if len(self._waiting) < settings.batch_size and now < closes_s:
                self._scaler.slack()
                self._wake_in(closes_s - now)
                return
            count = min(settings.batch_size, len(self._waiting))
            self._invoke(deque(self._waiting.popleft() for _ in range(count)))
        self._scaler.slack()

    def _wake_in(self, seconds: float | None) -> None:
        if seconds is None or self._is_waking:
            return  # no more will ever be allowed, or a wake-up is on its way
        self._is_waking = True

        def wake(_event: object) -> None:
            self._is_waking = False
            self._dispatch()

        self._world.after(seconds, wake)

    # --- function

    def _invoke(self, batch: deque[tuple[float, float, int]]) -> None:
        world = self._world
        self._in_flight += 1
        world.busy += 1
        world.invocations += 1
        world.most = max(world.most, world.busy)
        cold_s = 0.0
        if self._idle:
            self._idle -= 1
        else:
            world.cold_starts += 1
            cold_s = world.pick(world.calibration.cold_s)
        factor = 1 + world.calibration.slowdown * (world.busy - 1)
        self._next_file(batch, world.env.now, cold_s, factor)

    def _next_file(self, batch: deque[tuple[float, float, int]], began_s: float, extra_s: float, factor: float) -> None:
        world, times = self._world, self._times
        if not batch:
            self._in_flight -= 1
            self._idle += 1
            world.busy -= 1
            world.function_s += world.env.now - began_s
            self._dispatch()
            return
        _, delivered_s, index = batch.popleft()
        number = int(world.draw.random() * len(times.rest_s))
        rest_s, hold_s = times.rest_s[number] * factor, times.hold_s[number] * factor

        def staged(_event: object) -> None:
            self._staged.append((delivered_s, index))
            self.unlock()
            self._next_file(batch, began_s, 0.0, factor)

        def locked() -> None:
            world.after(hold_s, staged)

        world.after(extra_s + rest_s, lambda _: self.lock(locked))

    # --- stage table and merge

    def lock(self, then: Callable[[], None]) -> None:
        """Have the table's write lock, at once or in turn."""
        if self._lock_taken:
            self._lock_waiting.append(then)
        else:
            self._lock_taken = True
            then()

    def unlock(self) -> None:
        """Hand the lock on."""
        if self._lock_waiting:
            self._lock_waiting.popleft()()
        else:
            self._lock_taken = False

    def merge(self) -> Any:
        """What one merge does, as a SimPy process."""
        world, env = self._world, self._world.env
        taken, self._staged = self._staged, []
        rows = len(taken) * world.calibration.rows_per_file
        began_s, whole_s = env.now, self._times.merge_fixed_s + self._times.merge_row_s * rows
        locked_s = whole_s * world.calibration.merge_lock_share
        yield env.timeout(whole_s - locked_s)
        got = env.event()
        self.lock(lambda: _fire(got))
        yield got
        yield env.timeout(locked_s)
        self.unlock()
        for delivered_s, index in taken:
            world.latencies_s[index] = env.now - delivered_s
        world.remaining -= len(taken)
        if world.remaining == 0 and not world.all_merged.triggered:
            world.all_merged.succeed()
        return env.now - began_s


def _fire(event: simpy.Event) -> None:
    event.succeed()


def _merging(world: _World, lanes: Sequence[_Lane]) -> Any:
    number = 1
    while True:
        # the schedule's own grid, as `harness.merge` keeps it: a run that overruns delays the next
        yield world.env.timeout(max(0.0, number * world.settings.merge_every_s - world.env.now))
        began_s = world.env.now
        for lane in lanes:
            yield from lane.merge()
        world.merge_s.append(world.env.now - began_s)
        number += 1


def simulate(calibration: Calibration, settings: Settings, arrivals: Sequence[Arrival], seed: int = 1) -> Outcome:
    """Run the model over the arrivals; the same arguments give the same outcome."""
    env, draw = simpy.Environment(), random.Random(seed)
    world = _World(env, calibration, settings, draw, [None] * len(arrivals), len(arrivals), env.event())
    by_type: dict[str, list[tuple[float, float, int]]] = {times.name: [] for times in calibration.types}
    for index, arrival in enumerate(arrivals):
        by_type[arrival.type].append((arrival.at_s + world.pick(calibration.delivery_s), arrival.at_s, index))
    lanes = [_Lane(world, times, sorted(by_type[times.name])) for times in calibration.types]
    env.process(_merging(world, lanes))
    last_s = max((arrival.at_s for arrival in arrivals), default=0.0)
    env.run(until=env.any_of([world.all_merged, env.timeout(last_s + PATIENCE_MERGES * settings.merge_every_s)]))
    return Outcome(
        latencies_s=tuple(world.latencies_s),
        invocations=world.invocations,
        function_s=world.function_s,
        cold_starts=world.cold_starts,
        most_concurrent=world.most,
        merge_s=tuple(world.merge_s),
    )

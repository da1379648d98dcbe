"""When files arrive: load shapes as pure iterators of intended times.

In: rates in files per minute. Out: offsets from the start in seconds, ascending. No clock and no waiting: whoever plans
a run takes the times from here, whoever runs it does the waiting.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

SECONDS_PER_MINUTE = 60.0


class Arrivals(Protocol):
    """A load shape."""

    def times(self, duration_s: float) -> Iterator[float]:
        """The intended offsets in [0, duration_s), ascending."""
        ...


def _check_rate(rate_per_min: float, what: str, *, zero_allowed: bool = False) -> None:
    if not math.isfinite(rate_per_min) or rate_per_min < 0 or (rate_per_min == 0 and not zero_allowed):
        raise ValueError(f"{what} is {rate_per_min:g} files a minute; it must be a number above 0")


@dataclass(frozen=True)
class Constant:
    """Evenly spaced arrivals, the first at 0."""

    rate_per_min: float

    def __post_init__(self) -> None:
        _check_rate(self.rate_per_min, "rate_per_min")

    def times(self, duration_s: float) -> Iterator[float]:
        # Each time is computed from its number, so that no error adds up. A whole number of arrivals that rounding
        # left a hair above the integer must not gain one.
        count = math.ceil(round(duration_s * self.rate_per_min / SECONDS_PER_MINUTE, 9))
        for number in range(count):
            yield number * SECONDS_PER_MINUTE / self.rate_per_min


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals: exponential gaps, the same for the same seed."""

    rate_per_min: float
    seed: int

    def __post_init__(self) -> None:
        _check_rate(self.rate_per_min, "rate_per_min")

    def times(self, duration_s: float) -> Iterator[float]:
        gaps = random.Random(self.seed)
        at_s = gaps.expovariate(self.rate_per_min / SECONDS_PER_MINUTE)
        while at_s < duration_s:
            yield at_s
            at_s += gaps.expovariate(self.rate_per_min / SECONDS_PER_MINUTE)


@dataclass(frozen=True)
class Ramp:
    """A rate that changes linearly over `over_s` and then stays."""

    from_per_min: float
    to_per_min: float
    over_s: float

    def __post_init__(self) -> None:
        _check_rate(self.from_per_min, "from_per_min", zero_allowed=True)
        _check_rate(self.to_per_min, "to_per_min", zero_allowed=self.from_per_min > 0)
        if not self.over_s > 0:
            raise ValueError(f"over_s is {self.over_s:g}; it must be above 0")

    def times(self, duration_s: float) -> Iterator[float]:
        # Arrival number n comes where the rate's integral reaches n: r0 t + (r1 - r0) t² / (2 over_s) = n.
        start, end = self.from_per_min / SECONDS_PER_MINUTE, self.to_per_min / SECONDS_PER_MINUTE
        in_ramp = (start + end) / 2 * self.over_s
        number = 0
        while True:
            if number < in_ramp:
                slope = (end - start) / self.over_s
                # The form of the quadratic's solution that also holds where the slope is 0.
                root = math.sqrt(max(start * start + 2 * slope * number, 0.0))
                at_s = 2 * number / (start + root) if number else 0.0
            elif end > 0:
                at_s = self.over_s + (number - in_ramp) / end
            else:
                return
            if at_s >= duration_s:
                return
            yield at_s
            number += 1


@dataclass(frozen=True)
class Burst:
    """A constant base rate with one burst of `for_s` at the peak rate, from `at_s` on."""

    base_per_min: float
    peak_per_min: float
    at_s: float
    for_s: float

    def __post_init__(self) -> None:
        _check_rate(self.base_per_min, "base_per_min")
        _check_rate(self.peak_per_min, "peak_per_min")
        if self.at_s < 0 or self.for_s < 0:
            raise ValueError("at_s and for_s must not be below 0")

    def times(self, duration_s: float) -> Iterator[float]:
        end_s = self.at_s + self.for_s
        phases = ((0.0, self.at_s, self.base_per_min), (self.at_s, end_s, self.peak_per_min),
                  (end_s, math.inf, self.base_per_min))  # fmt: skip
        for begins_s, ends_s, rate_per_min in phases:
            length_s = min(ends_s, duration_s) - begins_s
            if length_s > 0:
                yield from (begins_s + offset_s for offset_s in Constant(rate_per_min).times(length_s))


@dataclass(frozen=True)
class Paused:
    """See `paused`."""

    rate_per_min: float
    at_s: float
    for_s: float

    def times(self, duration_s: float) -> Iterator[float]:
        every = Constant(self.rate_per_min).times(duration_s)
        return (time_s for time_s in every if not self.at_s <= time_s < self.at_s + self.for_s)


def constant(rate_per_min: float) -> Constant:
    """Evenly spaced arrivals: `constant(100)` over 120 s gives exactly 200."""
    return Constant(rate_per_min)


def poisson(rate_per_min: float, seed: int) -> Poisson:
    """Independent arrivals with this mean rate."""
    return Poisson(rate_per_min, seed)


def ramp(from_per_min: float, to_per_min: float, over_s: float) -> Ramp:
    """A rate that changes linearly over `over_s` seconds and then stays."""
    return Ramp(from_per_min, to_per_min, over_s)


def burst(base_per_min: float, peak_per_min: float, at_s: float, for_s: float) -> Burst:
    """A base rate, interrupted by `for_s` seconds at the peak rate that begin at `at_s`."""
    return Burst(base_per_min, peak_per_min, at_s, for_s)


def paused(rate_per_min: float, at_s: float, for_s: float) -> Paused:
    """Evenly spaced arrivals, with none for `for_s` seconds from `at_s` on."""
    return Paused(rate_per_min, at_s, for_s)

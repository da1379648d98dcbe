"""Memory and batch sizes as points of cost and latency, and which one to take.

In: measured invocations. Out: `Point`s with a price, and a `Choice`. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.cost.price_list import Prices

MB_PER_GB = 1_024
# A function that needs more than this part of its memory is one large file away from being killed.
MEMORY_USED_MAX = 0.9


@dataclass(frozen=True)
class Sample:
    """One warm invocation. `cpu_s` is what its process used."""

    duration_s: float
    cpu_s: float
    peak_mb: int
    status: str


@dataclass(frozen=True)
class Point:
    """What a memory size and a batch size gave. `usd` is for 1,000 files; latency is from start to the last commit."""

    memory_mb: int
    batch: int
    cpu_share: float
    latency_s: float
    latency_max_s: float
    cpu_s: float
    init_s: float
    peak_mb: int
    usd: float
    problem: str | None = None


@dataclass(frozen=True)
class Choice:
    """`recommended` is where a per cent of cost buys a per cent of latency; or the cheapest within a limit."""

    recommended: Point
    cheapest: Point
    fastest: Point
    why: str


def point(
    memory_mb: int, batch: int, cpu_share: float, init_s: float, samples: Sequence[Sample], prices: Prices,
    architecture: str,
) -> Point:  # fmt: skip
    """One point of several invocations; a failure or a tight memory is its problem."""
    duration_s = median(sample.duration_s for sample in samples)
    gb_s = duration_s * memory_mb / MB_PER_GB
    usd = prices[f"lambda_gb_s_{architecture}"].amount_usd(gb_s) + prices["lambda_requests"].amount_usd(1)
    peak_mb = max(sample.peak_mb for sample in samples)
    failed = [sample.status for sample in samples if sample.status != "ok"]
    tight = peak_mb > MEMORY_USED_MAX * memory_mb
    problem = f"{failed[0]} in {len(failed)} of {len(samples)}" if failed else "memory is tight" if tight else None
    return Point(
        memory_mb, batch, cpu_share, duration_s, max(sample.duration_s for sample in samples),
        median(sample.cpu_s for sample in samples), init_s, peak_mb, usd / batch * 1_000, problem,
    )  # fmt: skip


def choose(points: Sequence[Point], within_s: float | None = None) -> Choice | None:
    """The point to take; None when no point is without a problem, or none is quick enough."""
    sound = [one for one in points if one.problem is None]
    if not sound:
        return None
    cheapest = min(sound, key=lambda one: (one.usd, one.latency_s))
    fastest = min(sound, key=lambda one: (one.latency_s, one.usd))
    if within_s is None:
        best = min(sound, key=lambda one: (one.usd * one.latency_s, one.usd))
        return Choice(best, cheapest, fastest, "the least cost × latency: a per cent of one is worth one of the other")
    quick = [one for one in sound if one.latency_s <= within_s]
    if not quick:
        return None
    best = min(quick, key=lambda one: (one.usd, one.latency_s))
    return Choice(best, cheapest, fastest, f"the cheapest that is done within {within_s:g} s")

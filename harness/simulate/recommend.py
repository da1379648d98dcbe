"""Which settings hold an SLA at a rate, and what they would cost: the model tried over a grid of them.

In: a calibration, a rate, an SLA and a price for settings. Out: candidates, the cheapest that holds first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from generators.arrivals import constant
from harness.simulate.calibration import Calibration
from harness.simulate.model import Arrival, Outcome, Settings, simulate
from harness.statistics import percentile

CONCURRENCIES = (2, 5, 10, 20, 50, 100, None)
BATCH_SIZES = (1, 2, 5, 10)
# AWS allows a batch to wait; a window of a second lets batches fill without being felt beside a merge interval.
WINDOW_S = 1.0
MERGES_EVERY_S = (60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0)
# Settings are tried over so many merges, and at least so long.
MERGES_TRIED = 3
TRIED_S = 900.0
# What is kept free of the SLA: a model must not be trusted to the last second.
HEADROOM = 0.1


@dataclass(frozen=True)
class Candidate:
    """Settings and what they do. `holds` is that the slowest file keeps the SLA with headroom."""

    settings: Settings
    p50_s: float
    p99_s: float
    worst_s: float | None
    most_concurrent: int
    holds: bool
    usd_per_day: float | None


Price = Callable[[Settings, Outcome, int], float | None]


def arrivals_at(calibration: Calibration, rate_per_min: float, duration_s: float) -> list[Arrival]:
    """Evenly spaced arrivals, the types mixed by their shares."""
    credit = {times.name: 0.0 for times in calibration.types}
    arrivals = []
    for at_s in constant(rate_per_min).times(duration_s):
        for times in calibration.types:
            credit[times.name] += times.share
        chosen = max(credit, key=lambda name: credit[name])
        credit[chosen] -= 1
        arrivals.append(Arrival(chosen, at_s))
    return arrivals


def _grid(sla_s: float) -> Iterable[Settings]:
    intervals = [every_s for every_s in MERGES_EVERY_S if every_s < sla_s] or [sla_s / 2]
    for every_s, batch, concurrency in product(intervals, BATCH_SIZES, CONCURRENCIES):
        yield Settings(every_s, batch, WINDOW_S if batch > 1 else 0.0, concurrency)


def recommend(calibration: Calibration, rate_per_min: float, sla_s: float, price: Price) -> list[Candidate]:
    """Every candidate: those that hold first, then the cheapest, then the smallest concurrency, then the fastest."""
    found = [_tried(calibration, rate_per_min, sla_s, settings, price) for settings in _grid(sla_s)]
    return sorted(found, key=_rank)


def _rank(candidate: Candidate) -> tuple[bool, float, float, float]:
    cents = round(candidate.usd_per_day or 0.0, 2)
    most = float(candidate.settings.maximum_concurrency or 10_000)
    return (not candidate.holds, cents, most, candidate.p99_s)


def _tried(calibration: Calibration, rate_per_min: float, sla_s: float, settings: Settings, price: Price) -> Candidate:
    duration_s = max(TRIED_S, MERGES_TRIED * settings.merge_every_s)
    arrivals = arrivals_at(calibration, rate_per_min, duration_s)
    outcome = simulate(calibration, settings, arrivals)
    merged: Sequence[float] = [latency_s for latency_s in outcome.latencies_s if latency_s is not None]
    worst_s = max(merged) if len(merged) == len(arrivals) else None
    return Candidate(
        settings=settings,
        p50_s=round(percentile(merged, 50), 1) if merged else float("inf"),
        p99_s=round(percentile(merged, 99), 1) if merged else float("inf"),
        worst_s=None if worst_s is None else round(worst_s, 1),
        most_concurrent=outcome.most_concurrent,
        holds=worst_s is not None and worst_s <= sla_s * (1 - HEADROOM),
        usd_per_day=price(settings, outcome, len(arrivals)),
    )

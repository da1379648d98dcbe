"""Percentiles of measured values, by nearest rank, so that every figure was really measured."""

import math
from collections.abc import Sequence

PERCENTILES = (50, 95, 99)


def percentile(values: Sequence[float], rank: float) -> float:
    """The smallest measured value that at least `rank` percent of the values do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values to take a percentile of")
    return sorted(values)[max(0, math.ceil(len(values) * rank / 100) - 1)]


def summary(values: Sequence[float], digits: int = 4) -> dict[str, float] | None:
    """p50, p95, p99 and max; None when nothing was measured."""
    if not values:
        return None
    return {f"p{rank}": round(percentile(values, rank), digits) for rank in PERCENTILES} | {
        "max": round(max(values), digits)
    }

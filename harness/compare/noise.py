"""The statistics of a comparison: how sure is a ratio between two handfuls of noisy runs?

In: one figure a run, of either side. Out: the ratio with its confidence interval, and p-values. Ratios are taken of
geometric means, so that twice as slow and half as slow are equally far from 1. Knows nothing of runs and metrics.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np

STEPS = 400


@dataclass(frozen=True)
class Ratio:
    """Head over base; `low` and `high` are the one-sided confidence bounds, `p_above` the p-value of "not above 1"."""

    value: float
    low: float
    high: float
    p_above: float
    p_below: float


def ratio(base: Sequence[float], head: Sequence[float], confidence: float) -> Ratio:
    """Compare two sides by Welch's t on the logarithms; `confidence` is that of each bound.

    Welch's rather than Student's: a change can make a metric noisier, not only higher.

    Raises:
        ValueError: a side has fewer than two figures, or a figure is not above 0.
    """
    if min(len(base), len(head)) < 2 or min(*base, *head) <= 0:
        raise ValueError("a ratio needs two figures of each side, all above 0")
    logs = [[math.log(value) for value in side] for side in (base, head)]
    difference = fmean(logs[1]) - fmean(logs[0])
    parts = [variance(side) / len(side) for side in logs]
    error = math.sqrt(sum(parts))
    if error < 1e-12:
        # no noise at all: figures from a model, or a metric with few values, such as megabytes
        sign = 0 if abs(difference) < 1e-12 else math.copysign(1, difference)
        return Ratio(math.exp(difference), math.exp(difference), math.exp(difference), *_certain(sign))
    freedom = sum(parts) ** 2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, logs, strict=True))
    reach = t_quantile(confidence, freedom) * error
    above = t_tail(difference / error, freedom)
    return Ratio(
        math.exp(difference), math.exp(difference - reach), math.exp(difference + reach), above, 1 - above
    )  # fmt: skip


def _certain(sign: float) -> tuple[float, float]:
    return {1.0: (0.0, 1.0), -1.0: (1.0, 0.0)}.get(sign, (0.5, 0.5))


def t_tail(t: float, freedom: float) -> float:
    """P(T > t) of Student's t, by Simpson's rule over the angle whose tangent is t / sqrt(freedom)."""
    # with t = sqrt(freedom) * tan(a) the density becomes cos(a)^(freedom - 1): smooth and on a finite interval
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    start = math.atan(abs(t) / math.sqrt(freedom))
    if start >= math.pi / 2:
        return 0.0 if t > 0 else 1.0
    angles = np.linspace(start, math.pi / 2, STEPS + 1)
    heights = np.clip(np.cos(angles), 0.0, None) ** (freedom - 1)
    area = heights[0] + heights[-1] + 4 * heights[1::2].sum() + 2 * heights[2:-1:2].sum()
    width = (math.pi / 2 - start) / STEPS
    tail = min(0.5, scale * float(area) * width / 3)
    return tail if t >= 0 else 1 - tail


def t_quantile(confidence: float, freedom: float) -> float:
    """The t that T stays below with probability `confidence` (above one half)."""
    low, high = 0.0, 1.0
    while t_tail(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, freedom) > 1 - confidence else (low, middle)
    return high


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: what each p-value means among so many, in the same order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = highest
    return corrected


def fisher(before: int, of_before: int, after: int, of_after: int) -> float:
    """Fisher's exact test, one-sided: the chance of at least `after` among `of_after` if both sides are alike."""
    whole, hits = of_before + of_after, before + after
    ways = sum(
        math.comb(of_after, number) * math.comb(of_before, hits - number)
        for number in range(after, min(of_after, hits) + 1)
        if hits - number <= of_before
    )
    return ways / math.comb(whole, hits)

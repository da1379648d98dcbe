"""Points are priced as Lambda bills them, and the recommendation is sound."""

import pytest

from harness.cost.price_list import Price, Prices
from harness.tune.points import Point, Sample, choose, point

PRICES = Prices("moon-1", {"lambda_requests": Price(0.2, 1_000_000), "lambda_gb_s_x86_64": Price(0.00002)}, {})


def made(memory_mb: int, batch: int, latency_s: float, usd: float, problem: str | None = None) -> Point:
    return Point(memory_mb, batch, 1.0, latency_s, latency_s, 0.1, 1.0, 100, usd, problem)


def test_a_point_by_hand() -> None:
    samples = [Sample(duration_s, 0.5, 150, "ok") for duration_s in (1.9, 2.0, 9.0)]
    found = point(1_024, 10, 0.58, 3.0, samples, PRICES, "x86_64")
    assert (found.latency_s, found.latency_max_s) == (2.0, 9.0)
    # 2 s × 1 GB × $0.00002 and a request, for ten files: a hundred of those for 1,000 files
    assert found.usd == pytest.approx((2 * 0.00002 + 0.2e-6) * 100)
    assert found.problem is None


@pytest.mark.parametrize(
    ("peak_mb", "status", "problem"),
    [
        (480, "ok", "memory is tight"),
        (512, "crash", "crash in 1 of 1"),
        (100, "files failed", "files failed in 1 of 1"),
    ],
)
def test_what_fails_or_nearly_does_is_no_choice(peak_mb: int, status: str, problem: str) -> None:
    found = point(512, 1, 0.29, 3.0, [Sample(1.0, 0.3, peak_mb, status)], PRICES, "x86_64")
    assert found.problem == problem
    assert choose([found]) is None


def test_the_recommended_point_has_the_least_cost_times_latency() -> None:
    slow, good, fast = made(512, 1, 4.0, 1.0), made(1_024, 1, 2.0, 1.1), made(3_008, 1, 1.9, 3.0)
    choice = choose([slow, good, fast, made(128, 1, 0.1, 0.1, "crash in 1 of 1")])
    assert choice is not None
    assert (choice.recommended, choice.cheapest, choice.fastest) == (good, slow, fast)


def test_within_a_limit_the_cheapest_wins() -> None:
    slow, good, fast = made(512, 1, 4.0, 1.0), made(1_024, 1, 2.0, 1.1), made(3_008, 1, 1.0, 3.0)
    found = choose([slow, good, fast], within_s=5)
    assert found is not None
    assert found.recommended == slow
    found = choose([slow, good, fast], within_s=1.5)
    assert found is not None
    assert found.recommended == fast
    assert choose([slow, good, fast], within_s=0.5) is None

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.arrivals import Arrivals, burst, constant, poisson, ramp


def test_a_constant_rate_gives_exactly_its_files() -> None:
    times = list(constant(100).times(120))
    assert len(times) == 200
    assert times[0] == 0
    assert max(times) < 120


@given(rate_per_min=st.integers(1, 10_000), minutes=st.integers(1, 5))
def test_a_constant_rate_is_exact_at_any_rate(rate_per_min: int, minutes: int) -> None:
    times = list(constant(rate_per_min).times(minutes * 60))
    assert len(times) == rate_per_min * minutes
    assert times[-1] == pytest.approx((len(times) - 1) * 60 / rate_per_min)


@pytest.mark.parametrize(
    "shape", [constant(333), poisson(600, 7), ramp(0, 600, 30), ramp(600, 60, 30), burst(60, 6000, 5, 2)]
)
def test_times_ascend_and_lie_within_the_duration_and_repeat(shape: Arrivals) -> None:
    times = list(shape.times(60))
    assert times
    assert all(earlier <= later for earlier, later in itertools.pairwise(times))
    assert times[0] >= 0
    assert times[-1] < 60
    assert list(shape.times(60)) == times
    assert list(shape.times(0)) == []


def test_poisson_has_its_mean_and_its_spread_and_follows_its_seed() -> None:
    times = list(poisson(600, seed=1).times(600))
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert len(times) == pytest.approx(6000, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.1)  # an exponential distribution's are the same
    assert times != list(poisson(600, seed=2).times(600))


def test_a_ramp_offers_the_integral_of_its_rate() -> None:
    times = list(ramp(0, 600, over_s=60).times(120))
    assert sum(at_s < 60 for at_s in times) == 300
    assert sum(at_s >= 60 for at_s in times) == 600
    assert len(list(ramp(60, 60, over_s=10).times(60))) == 60
    assert len(list(ramp(120, 0, over_s=60).times(600))) == 60


def test_a_burst_lies_where_it_should() -> None:
    times = list(burst(60, 600, at_s=30, for_s=10).times(60))
    inside = [at_s for at_s in times if 30 <= at_s < 40]
    assert len(inside) == 100
    assert len(times) - len(inside) == 50


@pytest.mark.parametrize(
    "shape",
    [
        lambda: constant(0),
        lambda: constant(-1),
        lambda: constant(math.nan),
        lambda: poisson(math.inf, 1),
        lambda: ramp(0, 0, 10),
        lambda: ramp(1, 2, 0),
        lambda: burst(60, 0, 1, 1),
        lambda: burst(60, 60, -1, 1),
    ],
)
def test_a_shape_that_offers_nothing_is_refused(shape) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"must|files a minute"):
        shape()

"""The statistics against tables and against what they promise."""

import random

import pytest

from harness.compare import noise


@pytest.mark.parametrize(
    ("confidence", "freedom", "quantile"),
    # any printed table of Student's t
    [
        (0.95, 2, 2.920),
        (0.975, 10, 2.228),
        (0.99, 5, 3.365),
        (0.995, 12, 3.055),
        (0.9995, 8, 5.041),
        (0.95, 120, 1.658),
    ],
)
def test_quantiles_are_those_of_the_tables(confidence: float, freedom: float, quantile: float) -> None:
    assert noise.t_quantile(confidence, freedom) == pytest.approx(quantile, abs=1e-3)
    assert noise.t_tail(quantile, freedom) == pytest.approx(1 - confidence, rel=2e-3)
    assert noise.t_tail(-quantile, freedom) == pytest.approx(confidence, abs=1e-3)


def test_ratios_are_those_of_geometric_means() -> None:
    found = noise.ratio([1.0, 2.0, 4.0], [2.0, 4.0, 8.0], 0.95)
    assert found.value == pytest.approx(2.0)
    assert found.low < 1 < found.value < found.high
    assert found.p_above + found.p_below == pytest.approx(1)


def test_figures_without_noise_are_certain() -> None:
    assert noise.ratio([5.0, 5.0], [5.0, 5.0], 0.95) == noise.Ratio(1.0, 1.0, 1.0, 0.5, 0.5)
    assert noise.ratio([5.0, 5.0], [10.0, 10.0], 0.95).p_above == 0.0


@pytest.mark.parametrize(("base", "head"), [([1.0], [1.0, 2.0]), ([1.0, 0.0], [1.0, 2.0])])
def test_what_has_no_ratio_is_refused(base: list[float], head: list[float]) -> None:
    with pytest.raises(ValueError, match="two figures of each side"):
        noise.ratio(base, head, 0.95)


def test_bounds_miss_the_truth_as_rarely_as_they_promise() -> None:
    luck, missed, trials = random.Random(3), 0, 400
    for _ in range(trials):
        base, head = ([luck.lognormvariate(0, 0.2) for _ in range(5)] for _ in range(2))
        missed += noise.ratio(base, head, 0.95).low > 1
    assert missed <= trials * 0.05 * 1.7


def test_holm_corrects_for_many() -> None:
    assert noise.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert noise.holm([]) == []
    assert noise.holm([0.9, 0.8]) == [1.0, 1.0]


def test_fisher_is_exact() -> None:
    assert noise.fisher(0, 7, 7, 7) == 1 / 3432
    assert noise.fisher(0, 4, 0, 4) == 1.0
    assert noise.fisher(1, 4, 2, 4) == pytest.approx(0.5)

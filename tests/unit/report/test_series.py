"""Series keep what matters when they are thinned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history import History
from harness.ledger import Event
from harness.report import series
from harness.report.series import Window

TIMES = st.lists(st.floats(0, 1000).map(lambda value: round(value, 3)), max_size=60)


@given(TIMES, st.integers(2, 20))
def test_a_cumulative_line_ends_at_the_last_of_all(times: list[float], points_max: int) -> None:
    x, y = series.cumulative(times, points_max)
    assert len(x) == len(y) <= points_max + 1
    assert x == sorted(x)
    assert y == sorted(y)
    if times:
        assert (x[0], x[-1], y[-1]) == (min(times), max(times), len(times))


@given(st.lists(st.floats(0, 100), max_size=60), st.integers(2, 20))
def test_thinning_keeps_the_peak_and_the_end(values: list[float], points_max: int) -> None:
    x, y = series.peaks([float(at) for at in range(len(values))], values, points_max)
    assert len(x) <= points_max + 1
    assert x == sorted(x)
    if values:
        assert max(y) == max(values)
        assert y[-1] == values[-1]


def test_intervals_open_at_once() -> None:
    assert series.at_once([(1.0, 4.0), (2.0, 3.0)]) == ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 1.0, 0.0])
    # one that ends as the other begins is not at once with it
    assert max(series.at_once([(1.0, 2.0), (2.0, 3.0)])[1]) == 1.0
    assert series.at_once([]) == ([], [])


@given(st.lists(st.floats(0, 100), min_size=1, max_size=300), st.integers(2, 50))
def test_a_percentile_plot_reaches_from_the_fastest_to_the_maximum(values: list[float], points_max: int) -> None:
    rarer, latencies = series.quantiles(values, points_max)
    assert latencies[0] == round(min(values), 4)
    assert (rarer[-1], latencies[-1]) == (len(values), round(max(values), 4))
    assert rarer == sorted(rarer)
    assert latencies == sorted(latencies)


def test_no_values_no_percentile_plot() -> None:
    assert series.quantiles([]) == ([], [])


def _fault(name: str, action: str, at_s: float) -> Event:
    return {"event": "fault", "name": name, "action": action, "at_s": at_s}


def test_faults_last_from_injection_to_healing_or_to_the_end() -> None:
    history = History(faults=[_fault("a", "inject", 110.0), _fault("b", "inject", 120.0), _fault("a", "heal", 130.0)])
    assert series.fault_windows(history, 100.0) == [Window("a", 10.0, 30.0), Window("b", 20.0, 30.0)]


@pytest.mark.parametrize("action", ["heal", "something new"])
def test_a_healing_without_an_injection_shades_nothing(action: str) -> None:
    assert series.fault_windows(History(faults=[_fault("a", action, 110.0)]), 100.0) == []

"""The model of the pipeline: what must be so whatever the figures."""

import time
from dataclasses import replace

import pytest

from harness.simulate.calibration import Calibration, TypeTimes
from harness.simulate.model import Arrival, Settings, simulate
from harness.simulate.recommend import arrivals_at, recommend


def _calibration(*, rest_s: float = 0.1, hold_s: float = 0.02, merge_row_s: float = 0.0, slowdown: float = 0.0,
                 cold_s: float = 0.0, names: str = "a") -> Calibration:  # fmt: skip
    types = tuple(TypeTimes(name, 1 / len(names), (rest_s,), (hold_s,), 0.5, merge_row_s) for name in names)
    return Calibration(types, (0.01,), (cold_s,), slowdown, 0.2, 100.0, 50)


def _one_a_second(count: int) -> list[Arrival]:
    return [Arrival("a", float(second)) for second in range(count)]


def test_a_lone_file_waits_for_the_merge_and_no_more() -> None:
    outcome = simulate(_calibration(), Settings(15.0), [Arrival("a", 3.0)])
    assert outcome.latencies_s == (pytest.approx(12.5),)


def test_files_spread_evenly_wait_half_an_interval_on_average() -> None:
    outcome = simulate(_calibration(), Settings(60.0), _one_a_second(600))
    merged = [latency_s for latency_s in outcome.latencies_s if latency_s is not None]
    assert len(merged) == 600
    assert sum(merged) / 600 == pytest.approx(30.5, abs=1.5)


def test_copies_into_one_table_wait_for_one_another() -> None:
    quick = simulate(_calibration(hold_s=0.5), Settings(30.0), _one_a_second(300))
    slow = simulate(_calibration(hold_s=2.0), Settings(30.0), _one_a_second(300))
    assert None not in quick.latencies_s
    assert slow.most_concurrent > 20 > quick.most_concurrent
    assert slow.latencies_s.count(None) > 0


def test_two_tables_do_not_wait_for_one_another() -> None:
    arrivals = [Arrival("ab"[second % 2], float(second)) for second in range(300)]
    outcome = simulate(_calibration(hold_s=1.5, names="ab"), Settings(30.0), arrivals)
    assert None not in outcome.latencies_s


def test_maximum_concurrency_is_kept() -> None:
    calibration = _calibration(rest_s=30.0)
    assert simulate(calibration, Settings(60.0), _one_a_second(100)).most_concurrent > 20
    capped = simulate(calibration, Settings(60.0, maximum_concurrency=2), _one_a_second(100))
    assert capped.most_concurrent == 2


def test_batches_make_fewer_invocations() -> None:
    outcome = simulate(_calibration(), Settings(60.0, batch_size=10, batch_window_s=20.0), _one_a_second(100))
    assert outcome.invocations <= 12
    assert None not in outcome.latencies_s


def test_a_cold_start_is_paid_once_for_each_environment() -> None:
    outcome = simulate(_calibration(cold_s=2.0), Settings(15.0), [Arrival("a", at_s) for at_s in (0.0, 5.0, 10.0)])
    assert outcome.cold_starts == 1
    assert outcome.function_s == pytest.approx(2.0 + 3 * 0.12)


def test_an_environment_that_was_warm_before_pays_no_cold_start() -> None:
    warm = replace(_calibration(cold_s=2.0), warm=1)
    assert simulate(warm, Settings(15.0), [Arrival("a", 1.0)]).cold_starts == 0


def test_a_merge_that_overruns_its_interval_delays_the_next() -> None:
    slow = simulate(_calibration(merge_row_s=0.03), Settings(15.0), _one_a_second(120))
    assert max(slow.merge_s) > 15.0
    assert max(latency_s for latency_s in slow.latencies_s if latency_s is not None) > 40.0


def test_a_busy_machine_makes_invocations_longer() -> None:
    burst = [Arrival("a", 0.0)] * 5
    alone = simulate(_calibration(), Settings(15.0), burst).function_s
    assert simulate(_calibration(slowdown=0.5), Settings(15.0), burst).function_s > alone * 1.5


def test_the_same_seed_gives_the_same_outcome() -> None:
    calibration, arrivals = _calibration(names="abcd"), arrivals_at(_calibration(names="abcd"), 300, 600)
    assert simulate(calibration, Settings(60.0), arrivals, 3) == simulate(calibration, Settings(60.0), arrivals, 3)


def test_a_day_of_the_originals_load_takes_seconds_of_cpu() -> None:
    calibration = _calibration(names="abcd")
    arrivals = arrivals_at(calibration, 100, 86_400)
    before_s = time.process_time()
    outcome = simulate(calibration, Settings(900.0), arrivals)
    assert len(outcome.latencies_s) == 144_000
    assert time.process_time() - before_s < 30  # about 1.5 s; far above, so that no slow machine fails


def test_it_recommends_the_cheapest_settings_that_hold() -> None:
    found = recommend(
        _calibration(rest_s=5.0), 60.0, 600.0, lambda settings, outcome, _: outcome.invocations / settings.merge_every_s
    )
    assert found[0].holds
    assert all(found[0].usd_per_day <= one.usd_per_day for one in found if one.holds)
    # two at a time with 5 s each cannot take one file a second
    assert not any(one.holds for one in found if one.settings.maximum_concurrency == 2)


def test_nothing_holds_an_sla_below_the_service_time() -> None:
    assert not recommend(_calibration(rest_s=50.0), 10.0, 20.0, lambda *_: 1.0)[0].holds

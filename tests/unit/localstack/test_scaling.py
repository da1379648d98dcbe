"""The scale-up of an SQS event source mapping, against a clock that is told the time."""

import threading
import time

import pytest

from harness.localstack.scaling import Scaler, ScalingLimits
from harness.localstack.slots import Slots


class Clock:
    """A clock that stands still until moved."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_starts_with_five_and_stays_there_without_saturation(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    clock.now_s += 600
    assert scaler.limit == 5


def test_saturation_adds_three_hundred_a_minute_up_to_the_most(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    clock.now_s += 1
    assert scaler.limit == 10
    clock.now_s += 59
    assert scaler.limit == 305
    clock.now_s += 600
    assert scaler.limit == 1_250
    assert scaler.seconds_to_next is None


def test_growth_stops_while_there_is_slack(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    clock.now_s += 1
    scaler.slack()
    clock.now_s += 60
    assert scaler.limit == 10


def test_many_looks_do_not_lose_growth(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    for _ in range(600):
        clock.now_s += 0.1
        scaler.saturated()
        assert scaler.limit >= 5
    assert scaler.limit in (304, 305)


def test_an_idle_mapping_starts_over(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    clock.now_s += 60
    assert scaler.limit == 305
    scaler.idle()
    assert scaler.limit == 5


def test_failures_take_off_gradually_but_not_everything(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    clock.now_s += 19
    assert scaler.limit == 100
    scaler.failed()
    assert scaler.limit == 80
    for _ in range(100):
        scaler.failed()
    assert scaler.limit == 2


def test_no_concurrency_is_added_while_batches_fail(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    scaler.failed()
    clock.now_s += 60
    scaler.saturated()
    clock.now_s += 60
    assert scaler.limit == 4
    assert scaler.seconds_to_next is None
    scaler.succeeded()
    scaler.saturated()
    clock.now_s += 1
    assert scaler.limit == 9


def test_a_waiter_for_a_slot_goes_on_when_a_batch_succeeds(clock: Clock) -> None:
    slots, stop = Slots(Scaler(ScalingLimits(initial=2, fewest=1), clock)), threading.Event()
    slots.take()
    slots.take()
    slots.failed()
    waiter = threading.Thread(target=slots.wait_for_free, args=(stop,))
    waiter.start()
    waiter.join(0.3)
    assert waiter.is_alive()
    slots.succeeded()
    deadline = time.monotonic() + 5
    while waiter.is_alive() and time.monotonic() < deadline:
        clock.now_s += 0.1
        waiter.join(0.01)
    assert not waiter.is_alive()


@pytest.mark.parametrize(("maximum", "first", "last"), [(2, 2, 2), (20, 5, 20), (1_000, 5, 1_000)])
def test_maximum_concurrency_caps(clock: Clock, maximum: int, first: int, last: int) -> None:
    scaler = Scaler(ScalingLimits().capped(maximum), clock)
    assert scaler.limit == first
    scaler.saturated()
    clock.now_s += 3_600
    assert scaler.limit == last


def test_provisioned_pollers_do_ten_invokes_each(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits.provisioned(3, 50), clock)
    assert scaler.limit == 30
    for _ in range(20):
        scaler.failed()
    assert scaler.limit == 30
    scaler.succeeded()
    scaler.saturated()
    clock.now_s += 600
    assert scaler.limit == 500


def test_seconds_to_next_is_when_one_more_may_run(clock: Clock) -> None:
    scaler = Scaler(ScalingLimits(), clock)
    scaler.saturated()
    wait_s = scaler.seconds_to_next
    assert wait_s == pytest.approx(0.2)
    clock.now_s += 0.2 + 1e-9
    assert scaler.limit == 6


def test_slots_are_free_until_the_limit_and_again_when_given_back(clock: Clock) -> None:
    slots, stop = Slots(Scaler(ScalingLimits(initial=1, per_minute=0.001), clock)), threading.Event()
    assert slots.wait_for_free(stop)
    slots.take()
    waiter = threading.Thread(target=slots.wait_for_free, args=(stop,))
    waiter.start()
    slots.give_back()
    waiter.join(5)
    assert not waiter.is_alive()


def test_a_waiter_for_a_slot_can_be_stopped(clock: Clock) -> None:
    slots, stop = Slots(Scaler(ScalingLimits(initial=1, most=1), clock)), threading.Event()
    slots.take()
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(slots.wait_for_free(stop)))
    waiter.start()
    stop.set()
    slots.wake()
    waiter.join(5)
    assert found == [False]

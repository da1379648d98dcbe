"""Who may start when a machine holds few environments and starts few at a time, and who need not."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from harness.localstack import capacity
from harness.localstack.capacity import Capacity, Closed, TooLate, Turn

Waits = Callable[..., "Future[Turn | None]"]


class Idle:
    """An environment that has nothing to do, until it is ended."""

    def __init__(self, held: Capacity) -> None:
        self.held, self.is_ended = held, False
        held.acquire()
        held.idle(self)

    def hibernate(self) -> None:
        self.is_ended = True
        self.held.release()


@pytest.fixture
def waits() -> "Callable[..., Future[Turn | None]]":
    """An invoke that waits, in a thread of its own; returns once it does, or has what it waited for."""
    threads = ThreadPoolExecutor()

    def start(held: Capacity, function: str = "f", *, own: bool = True, first: bool = False) -> "Future[Turn | None]":
        joined = threading.Event()

        def is_free() -> bool:
            joined.set()  # asked when it is in line
            return False

        future = threads.submit(held.turn_unless_freed, function, lambda: own, is_free, first=first)
        assert joined.wait(10)
        return future

    return start


def test_a_freed_environment_serves_who_waits_for_a_start(waits: Waits) -> None:
    held = Capacity(10, most_starts=1)
    starting = held.turn()
    one, other, another_function = waits(held), waits(held), waits(held, "g")
    assert held.waits("f")
    held.freed("f")
    assert one.result(10) is None
    assert held.waits("f")
    held.freed("f")
    assert other.result(10) is None
    assert not held.waits("f")
    assert held.waits("g")
    starting.over()
    assert another_function.result(10) is not None


def test_turns_are_had_in_order_but_for_who_was_woken_for_nothing(waits: Waits) -> None:
    held = Capacity(10, most_starts=1)
    starting = held.turn()
    second, first = waits(held), waits(held, first=True)
    starting.over()
    turn = first.result(10)
    assert turn is not None
    assert held.waits("f")
    turn.over()
    assert second.result(10) is not None


def test_a_turn_is_given_back_once() -> None:
    held = Capacity(10, most_starts=1)
    turn = held.turn()
    turn.over()
    turn.over()
    assert held._turns == 1


def test_who_has_waited_for_as_long_as_it_may_leaves_the_line_to_the_next(waits: Waits) -> None:
    held = Capacity(10, most_starts=1)
    starting = held.turn()
    with pytest.raises(TooLate):
        held.turn_unless_freed("f", lambda: True, lambda: False, until_s=time.monotonic() + 0.05)
    assert not held.waits("f")
    next_one = waits(held, "g")
    starting.over()
    assert next_one.result(10) is not None


def test_a_turn_that_is_there_at_once_is_had_however_late() -> None:
    held = Capacity(10, most_starts=1)
    assert held.turn_unless_freed("f", lambda: True, lambda: False, until_s=time.monotonic() - 1) is not None


def test_who_finds_one_free_when_in_line_does_not_wait() -> None:
    held = Capacity(10, most_starts=1)
    starting = held.turn()
    assert held.turn_unless_freed("f", lambda: True, lambda: True) is None
    assert not held.waits("f")
    starting.over()


def test_only_a_function_that_has_none_ends_what_was_just_used(waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "SETTLED_S", 3_600.0)
    held = Capacity(1)
    idle = Idle(held)
    has_one, has_none = waits(held, own=True), waits(held, "g", own=False)
    turn = has_none.result(10)
    assert turn is not None
    assert held.waits("f")
    held.acquire(turn)
    assert idle.is_ended
    held.freed("f")
    assert has_one.result(10) is None


def test_what_has_been_idle_for_long_is_ended_for_any(waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "SETTLED_S", 0.05)
    held = Capacity(1)
    idle = Idle(held)
    turn = waits(held, own=True).result(10)
    assert turn is not None
    held.acquire(turn)
    assert idle.is_ended


def test_a_slot_is_promised_to_one_only(waits: Waits) -> None:
    held = Capacity(1)
    turn = waits(held, own=False).result(10)
    assert turn is not None
    other = waits(held, "g", own=False)
    assert held.waits("g")
    turn.over()  # it did not start
    other_turn = other.result(10)
    assert other_turn is not None
    held.acquire(other_turn)


def test_waiting_for_room_is_told(waits: Waits, caplog: pytest.LogCaptureFixture) -> None:
    held = Capacity(1)
    held.acquire()
    waiting = waits(held, own=False)
    held.freed("f")
    waiting.result(10)
    assert "NRT_MAX_ENVIRONMENTS" in caplog.text


def test_who_waits_when_all_ends_is_sent_away(waits: Waits) -> None:
    held = Capacity(10, most_starts=1)
    starting = held.turn()
    waiting = waits(held)
    held.close()
    late = waits(held)
    for one in (waiting, late):
        with pytest.raises(Closed):
            one.result(10)
    starting.over()

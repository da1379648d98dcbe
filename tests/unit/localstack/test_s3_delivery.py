"""How S3 notifications are delivered, drawn from a seed."""

import pytest

from harness.localstack.s3_delivery import HELD_BACK_S, Delivery, Schedule, parse


def test_nothing_said_is_at_once_and_once() -> None:
    assert parse("") == Delivery()
    assert Schedule(Delivery()).delays_s() == [0.0]


def test_everything_said() -> None:
    assert parse("delay_s=0.1..2, duplicate=0.01, reorder=0.5, seed=7") == Delivery(0.1, 2.0, 0.01, 0.5, 7)
    assert parse("delay_s=3") == Delivery(3.0, 3.0)


@pytest.mark.parametrize("text", ["delay_s=soon", "duplicate=2", "lost=0.1", "seed=x"])
def test_nonsense_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="NRT_S3_EVENTS: "):
        parse(text)


def test_the_same_seed_draws_the_same() -> None:
    delivery = Delivery(0.0, 1.0, 0.2, 0.2, 7)
    first, second = Schedule(delivery), Schedule(delivery)
    drawn = [first.delays_s() for _ in range(200)]
    assert drawn == [second.delays_s() for _ in range(200)]
    assert 20 < sum(len(delays) == 2 for delays in drawn) < 60
    assert any(min(delays) >= HELD_BACK_S for delays in drawn)

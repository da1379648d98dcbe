"""A function gets 1,000 new environments every 10 seconds."""

from harness.localstack.environment_rate import EnvironmentRate


def test_a_thousand_at_once_then_a_hundred_a_second_for_each_function() -> None:
    now = [0.0]
    rate = EnvironmentRate(lambda: now[0])
    assert sum(rate.may_start("a") for _ in range(1_500)) == 1_000
    assert rate.may_start("b")
    now[0] = 1.0
    assert sum(rate.may_start("a") for _ in range(1_500)) == 100
    slow = EnvironmentRate(lambda: now[0], 2)
    assert sum(slow.may_start("a") for _ in range(5)) == 2
    now[0] = 6.0
    assert sum(slow.may_start("a") for _ in range(5)) == 1
    now[0] = 3_600.0
    assert sum(rate.may_start("a") for _ in range(1_500)) == 1_000

"""Rates and durations on the command line."""

import click
import pytest

from harness.quantities import Duration, Rate


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("12", 12), ("0.5m", 30)])
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(("text", "per_min"), [("100/min", 100), ("10/s", 600), ("3000/h", 50), ("7", 7)])
def test_rates(text: str, per_min: float) -> None:
    assert Rate().convert(text, None, None) == pytest.approx(per_min)


@pytest.mark.parametrize("text", ["", "5x", "0s", "-3m", "1h foo", "m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


@pytest.mark.parametrize("text", ["", "0/min", "-5", "10/day", "/min", "nan"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Rate().convert(text, None, None)

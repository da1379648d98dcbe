"""Faults are injected and healed in order, each once, and none outlives the load."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from harness.faults.site import Site
from harness.faults.timeline import Timeline
from harness.ledger import Event, Ledger
from harness.scenario import Timed, at

NO_SITE = cast(Site, None)


@dataclass
class Recorded:
    """A fault that only notes what was done with it."""

    name: str
    log: list[str] = field(default_factory=list)
    effect: str | None = "did something"

    def inject(self, site: Site) -> Callable[[], str | None]:  # noqa: ARG002 - a fault's signature
        self.log.append(f"inject {self.name}")

        def heal() -> str | None:
            self.log.append(f"heal {self.name}")
            return self.effect

        return heal


@dataclass
class Trial:
    timeline: Timeline
    events: list[Event]
    log: list[str]


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    ledgers: list[Ledger] = []

    def make(*faults: tuple[float, float | None]) -> Trial:
        events: list[Event] = []
        log: list[str] = []
        timed: tuple[Timed, ...] = tuple(
            at(at_s, Recorded(f"fault {number}", log), for_s) for number, (at_s, for_s) in enumerate(faults)
        )
        ledgers.append(Ledger(tmp_path / "ledger", events.append))
        return Trial(Timeline(timed, NO_SITE, ledgers[0]), events, log)

    yield make
    for ledger in ledgers:
        ledger.finish()


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def test_each_is_injected_at_its_time_and_healed_at_its_end(trial: Callable[..., Trial]) -> None:
    one = trial((1, 2), (2, 5), (8, 1))
    one.timeline.keep(0.0, _NotYet())  # the start is long ago: every moment is due
    assert one.log == [
        "inject fault 0", "inject fault 1", "heal fault 0", "heal fault 1", "inject fault 2", "heal fault 2",
    ]  # fmt: skip
    done = [event for event in one.events if event["action"] != "begin"]
    assert [event["action"] for event in done] == ["inject", "inject", "heal", "heal", "inject", "heal"]
    assert done[2]["effect"] == "did something"
    for name in {event["name"] for event in one.events}:
        assert [event["action"] for event in one.events if event["name"] == name] == ["begin", "inject", "heal"]


class _NotYet(threading.Event):
    """The load ends only when somebody waits for it without a limit."""

    def wait(self, timeout: float | None = None) -> bool:
        return timeout is None


def test_one_at_zero_is_there_before_the_load_and_stays_to_its_end(trial: Callable[..., Trial]) -> None:
    one = trial((0, None))
    one.timeline.begin()
    assert one.log == ["inject fault 0"]
    one.timeline.keep(0.0, _set())
    assert one.log == ["inject fault 0", "heal fault 0"]


def test_what_had_not_begun_when_the_load_ended_does_not_begin(trial: Callable[..., Trial]) -> None:
    one = trial((5, 2))
    one.timeline.keep(0.0, _set())
    assert one.events == []


def test_healing_twice_heals_once(trial: Callable[..., Trial]) -> None:
    one = trial((0, None))
    one.timeline.begin()
    one.timeline.heal_all()
    one.timeline.heal_all()
    assert one.log == ["inject fault 0", "heal fault 0"]


def test_a_fault_that_did_nothing_says_so(trial: Callable[..., Trial]) -> None:
    one = trial((0, None))
    fault: Any = one.timeline.faults[0].fault
    fault.effect = None
    one.timeline.begin()
    one.timeline.heal_all()
    assert one.events[-1]["effect"] is None

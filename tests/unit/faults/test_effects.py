"""A fault that did nothing says nothing, whatever its kind, which makes a run inconclusive; one that did, says what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from harness.faults import api
from harness.faults.api import ApiErrors
from harness.faults.network import Cut, HalfOpen, Reset, SlowNetwork, endpoints_needed
from harness.faults.proxied import Control
from harness.faults.redriven import Redriven
from harness.faults.site import Site
from harness.scenario import Fault, at
from tests.unit.run_fixtures import good_run

COUNTS = {"connections": 2, "chunks_late": 0, "refused": 0, "reset": 0, "swallowed_bytes": 0}


@dataclass
class FakeControl:
    """A proxy that notes what it is told, and counts what it is told to have counted."""

    counts: dict[str, int] = field(default_factory=lambda: dict(COUNTS))
    told: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, **command: Any) -> dict[str, Any]:
        self.told.append(command)
        return dict(self.counts) if "count" in command else {}


@dataclass
class FakeSite:
    proxy: Control
    history: Any = None


def _site(control: FakeControl) -> Site:
    return cast(Site, FakeSite(cast(Control, control)))


@pytest.mark.parametrize(
    ("fault", "counted", "says"),
    [
        (SlowNetwork("redshift", latency_s=0.1), "chunks_late", "7 pieces of data came late"),
        (Cut("redshift"), "refused", "7 connections were closed or refused"),
        (HalfOpen("aws"), "swallowed_bytes", "7 bytes went nowhere"),
        (Reset("aws"), "reset", "7 connections were reset"),
    ],
)
def test_a_fault_of_the_network_tells_what_the_proxy_counted(fault: Fault, counted: str, says: str) -> None:
    control = FakeControl()
    heal = fault.inject(_site(control))
    assert heal() is None
    control.counts[counted] = 3
    heal = fault.inject(_site(control))
    control.counts[counted] = 10
    assert heal() == says
    changes = [command for command in control.told if "change" in command]
    assert set(changes[-1]) == {"change"}, "healing leaves nothing of it"


def test_a_proxy_is_there_for_faults_of_the_network_only() -> None:
    faults = (at(1, Cut("redshift")), at(2, SlowNetwork("aws", bytes_per_s=1)), at(3, Redriven()))
    assert endpoints_needed(faults) == {"aws", "redshift"}
    assert endpoints_needed(faults[2:]) == frozenset()


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Rules as the emulator keeps them."""
    rules: list[dict[str, Any]] = []

    def ask(_url: str, wanted: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        if wanted is not None:
            rules[:] = [{"seen": 0, "refused": 0} | rule for rule in wanted]
        return [dict(rule) for rule in rules]

    monkeypatch.setattr(api, "_ask", ask)
    return lambda: rules


def test_refusals_tell_how_many_and_leave_other_rules_alone(emulator: Callable[[], list[dict[str, Any]]]) -> None:
    class Endpoint:
        aws_endpoint_url = "http://127.0.0.1:1"

    class Aws:
        endpoints = Endpoint()

    class Place:
        aws = Aws()

    site = cast(Site, Place())
    other = ApiErrors("sqs", ("ReceiveMessage",), "ThrottlingException", rate=0.1)
    heal_other = other.inject(site)
    heal = ApiErrors("s3", ("GetObject", "PutObject"), "SlowDown", rate=0.5).inject(site)
    assert [(rule["operation"], rule["status"]) for rule in emulator()] == [
        ("ReceiveMessage", 400), ("GetObject", 503), ("PutObject", 503),
    ]  # fmt: skip
    emulator()[1].update(seen=9, refused=4)
    emulator()[2].update(seen=1, refused=0)
    assert heal() == "4 of 10 calls were refused"
    assert [rule["operation"] for rule in emulator()] == ["ReceiveMessage"]
    assert heal_other() is None
    assert emulator() == []


def test_no_broken_file_was_there_to_mend() -> None:
    class Place:
        history = good_run().history

    fault = Redriven()
    assert fault._rejects(cast(Site, Place())) == []

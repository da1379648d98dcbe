"""Parts that go away and come back, as a probe sees them."""

from pathlib import Path

import pytest

from harness.history import fold
from harness.ledger import Ledger, read
from harness.outages import Outages


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


def outages(tmp_path: Path, clock: list[float]) -> tuple[Outages, Ledger]:
    ledger = Ledger(tmp_path / "ledger.jsonl", lambda _: None)
    return Outages(ledger, clock=lambda: clock[0]), ledger


def test_an_outage_lasts_from_the_last_look_that_found_the_part_to_the_next_one(
    tmp_path: Path, clock: list[float]
) -> None:
    looked, ledger = outages(tmp_path, clock)
    for at_s, error in ((100.0, None), (102.0, "refused\nby the host"), (104.0, "still"), (106.0, None), (108.0, None)):
        clock[0] = at_s
        if error is None:
            looked.found("redshift")
        else:
            looked.missing("redshift", OSError(error))
    ledger.finish(interrupted=False)
    (outage,) = fold(read(tmp_path / "ledger.jsonl").events).outages
    assert (outage["from_s"], outage["to_s"]) == (100.0, 106.0)
    assert outage["error"] == "refused by the host"


def test_what_is_away_at_the_end_is_said_too(tmp_path: Path, clock: list[float]) -> None:
    looked, ledger = outages(tmp_path, clock)
    looked.found("localstack")
    clock[0] = 103.0
    looked.missing("localstack", OSError("gone"))
    looked.close()
    looked.close()
    ledger.finish(interrupted=False)
    (outage,) = fold(read(tmp_path / "ledger.jsonl").events).outages
    assert (outage["part"], outage["from_s"], outage["to_s"]) == ("localstack", 100.0, 103.0)


def test_a_part_that_was_always_there_is_no_outage(tmp_path: Path, clock: list[float]) -> None:
    looked, ledger = outages(tmp_path, clock)
    looked.found("redshift")
    looked.close()
    ledger.finish(interrupted=False)
    assert fold(read(tmp_path / "ledger.jsonl").events).outages == []

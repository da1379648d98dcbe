"""The ledger gives back what went in, and notices what was taken away."""

import json
import math
import threading
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import Verdict, default_checks
from harness.ledger import Event, Ledger, read
from harness.verdict import judge_stored
from tests.unit.run_fixtures import good_run

GOOD = good_run(2)
LINES = GOOD.ledger_lines()
# surrogates too: a file name that is not UTF-8 reaches Python as such
ANY_TEXT = st.text(st.characters(exclude_categories=()))
FIELDS = st.dictionaries(
    st.text(min_size=1).map("x_{}".format), ANY_TEXT | st.integers() | st.booleans() | st.none() | st.lists(ANY_TEXT)
)


def _ledger(path: Path, seen: list[Event]) -> Ledger:
    ticks = count(1)
    return Ledger(path, seen.append, clock=lambda: float(next(ticks)))


@given(fields=st.lists(FIELDS, max_size=5))
def test_events_come_back_as_they_went_in(
    fields: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, seen = tmp_path_factory.mktemp("ledger") / "ledger.jsonl", list[Event]()
    ledger = _ledger(path, seen)
    for one in fields:
        ledger.append("something", **one)
    ledger.finish(interrupted=False)
    reading = read(path)
    assert reading.defects == ()
    assert list(reading.events) == seen
    assert [event["n"] for event in seen] == list(range(1, len(fields) + 2))
    assert [{k: v for k, v in event.items() if k.startswith("x_")} for event in seen[:-1]] == fields


def test_lines_carry_the_time_of_their_writing(tmp_path: Path) -> None:
    seen: list[Event] = []
    ledger = _ledger(tmp_path / "ledger.jsonl", seen)
    ledger.append("made", index=1)
    ledger.finish(interrupted=False)
    assert seen[0] == {"n": 1, "at_s": 1.0, "event": "made", "index": 1}
    assert seen[1] == {"n": 2, "at_s": 2.0, "event": "run_finished", "events": 2, "interrupted": False}


def test_an_event_that_knows_its_own_time_keeps_it(tmp_path: Path) -> None:
    seen: list[Event] = []
    ledger = _ledger(tmp_path / "ledger.jsonl", seen)
    ledger.append("fault", name="stall", at_s=99.5)
    ledger.finish(interrupted=False)
    assert seen[0]["at_s"] == 99.5


def test_an_existing_ledger_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    _ledger(path, []).finish(interrupted=False)
    with pytest.raises(FileExistsError):
        _ledger(path, [])


def test_several_threads_write_whole_lines_in_one_order(tmp_path: Path) -> None:
    path, seen = tmp_path / "ledger.jsonl", list[Event]()
    ledger = _ledger(path, seen)

    def write(writer: int) -> None:
        for index in range(50):
            ledger.append("made", writer=writer, index=index)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.finish(interrupted=False)
    reading = read(path)
    assert reading.defects == ()
    assert list(reading.events) == seen
    assert len(seen) == 201


@pytest.mark.parametrize("taken", range(len(LINES)))
def test_a_line_taken_away_is_noticed_and_makes_the_run_inconclusive(taken: int, tmp_path: Path) -> None:
    directory = GOOD.store(tmp_path / "run")
    directory.ledger.write_text("".join(LINES[:taken] + LINES[taken + 1 :]))
    assert read(directory.ledger).defects
    judgement = judge_stored(directory, default_checks())
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert any(result.name == "run_complete" and "not whole" in result.detail for result in judgement.results)


def test_a_ledger_cut_at_any_byte_is_noticed(tmp_path: Path) -> None:
    whole = "".join(LINES).encode()
    path = tmp_path / "ledger.jsonl"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert read(path).defects, f"cut after {size} of {len(whole)} bytes"
    path.write_bytes(whole)
    assert not read(path).defects


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_run_cut_short_is_inconclusive(share: float, tmp_path: Path) -> None:
    directory = GOOD.store(tmp_path / "run")
    whole = directory.ledger.read_bytes()
    directory.ledger.write_bytes(whole[: math.floor(len(whole) * share)])
    assert judge_stored(directory, default_checks()).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "line 3 is not an event"),
        ("null", "line 3 is not an event"),
        ("[1]", "line 3 is not an event"),
        ('{"n":3}', "line 3 is not an event"),
        ('{"event":"made"}', "line 3 is not an event"),
        ('{"event":"made","n":"3"}', "line 3 is not an event"),
        (LINES[1].strip(), "line 3 is event 2, but event 3 was due"),
    ],
)
def test_a_line_that_does_not_belong_is_named(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join([*LINES[:2], line + "\n", *LINES[2:]]))
    assert said in read(path).defects


def test_bytes_that_are_no_text_are_a_defect(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes("".join(LINES).encode().replace(b'"made"', b'"\xff\xfe'))
    assert read(path).defects


def test_a_ledger_that_is_gone_is_noticed(tmp_path: Path) -> None:
    directory = GOOD.store(tmp_path / "run")
    directory.ledger.unlink()
    assert read(directory.ledger).defects == ("ledger.jsonl is not there",)
    assert judge_stored(directory, default_checks()).verdict is Verdict.INCONCLUSIVE


def test_two_lines_that_changed_places_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join([LINES[1], LINES[0], *LINES[2:]]))
    assert read(path).defects


def test_more_events_than_the_last_line_counts_are_noticed(tmp_path: Path) -> None:
    last = json.loads(LINES[-1])
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join([*LINES[:-1], json.dumps(last | {"events": last["events"] - 1}) + "\n"]))
    assert any("events of" in defect for defect in read(path).defects)

"""What the fold makes of the ledger's events."""

from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history import STAGES, History, fold
from harness.ledger import Event, read
from harness.statistics import PERCENTILES, percentile, summary
from tests.unit.run_fixtures import START_S, Run, dead_letter, good_run, invocation, key_of

GOOD = good_run()
VALUES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=50)


def test_the_times_of_a_file() -> None:
    file = GOOD.history.files[key_of(0)]
    assert file.intended_s == START_S
    assert file.start_lag_s == pytest.approx(0.002, abs=1e-6)
    assert file.end_to_end_s == pytest.approx(6.0)
    assert file.last_stage == "merged"
    assert file.phase_ms["copy"] == 250
    stages = file.stage_latencies_s()
    assert stages == pytest.approx(
        {"upload": 0.05, "notify": 0.05, "queue": 0.1, "handler": 0.5, "merge_wait": 4.3, "merge": 1.0}, abs=0.002
    )
    assert sum(stages.values()) == pytest.approx(file.end_to_end_s, abs=0.01)


@pytest.mark.parametrize(
    ("run", "stage"),
    [
        (GOOD, "merged"),
        (GOOD.without("merged"), "staged"),
        (GOOD.without("merged").changing("invocation", {}, log_lines=[]), "handled"),
        (GOOD.without("merged").changing("invocation", {}, status="timeout", log_lines=[]), "queued"),
        (GOOD.without("merged").without("invocation"), "uploaded"),
        (GOOD.without("merged").without("invocation").without("uploaded"), "made"),
        (GOOD.without("merged").without("invocation").without("uploaded").without("made"), "planned"),
    ],
)
def test_the_last_stage_a_file_was_seen_at(run: Run, stage: str) -> None:
    assert stage in STAGES
    assert {file.last_stage for file in run.history.files.values()} == {stage}


def test_a_message_that_failed_in_an_ok_batch_is_no_success() -> None:
    run = GOOD.changing("invocation", {"request_id": "request-1"}, batch_item_failures=["message-1"], log_lines=[])
    file = run.history.files[key_of(1)]
    assert file.success is None
    assert len(file.attempts) == 1


def test_a_second_delivery_changes_neither_the_commit_nor_the_merge() -> None:
    merged_again = {"event": "merged", "type": "orders", "keys": [key_of(0)]}
    loaded_again = {
        "event": "file_loaded",
        "file": key_of(0),
        "rows": 1,
        "committed_at_s": START_S + 60.9,
        "phase_ms": {},
    }
    again = GOOD.adding(
        invocation(0, start_s=START_S + 60, end_s=START_S + 61, request_id="again", log_lines=[loaded_again]),
        merged_again | {"started_s": START_S + 70, "committed_s": START_S + 71},
    )
    first, second = GOOD.history.files[key_of(0)], again.history.files[key_of(0)]
    assert len(second.attempts) == 2
    assert second.merged_s == first.merged_s
    assert (second.committed_s, second.phase_ms) == (first.committed_s, first.phase_ms)
    assert second.success == first.success


def test_a_notification_older_than_the_acknowledgement_took_no_time() -> None:
    run = GOOD.changing("uploaded", {"index": 0}, acknowledged_s=START_S + 0.15)
    assert run.history.files[key_of(0)].stage_latencies_s()["notify"] == 0


def test_dead_letters_find_their_files_and_strangers_are_kept() -> None:
    history = GOOD.adding(dead_letter(1), dead_letter(2, keys=["orders/unknown.csv"])).history
    assert history.files[key_of(1)].dead_letter is not None
    assert len(history.dead_letters) == 2


def test_a_merge_run_tells_its_errors() -> None:
    broken = [{"type": "orders", "started_s": 1.0, "committed_s": None, "rows": [], "error": "lock timeout"}]
    assert GOOD.changing("merge_run", {}, types=broken).history.merges[0].errors == ["orders: lock timeout"]
    assert GOOD.history.merges[0].errors == []


def test_what_ended_and_how() -> None:
    history = GOOD.history
    assert (history.finished, history.interrupted, history.drained, history.drain_s) == (True, False, True, 4.0)
    unfinished = GOOD.without("run_finished").without("drained").history
    assert (unfinished.finished, unfinished.drained) == (False, None)


def test_events_of_a_later_version_are_left_alone() -> None:
    assert GOOD.adding({"event": "from_the_future", "what": 1}).history == GOOD.history


@given(st.permutations(range(len(GOOD.events))))
def test_any_order_of_events_folds_without_an_error(order: list[int]) -> None:
    history = fold(tuple(GOOD.events[index] for index in order))
    assert set(history.files) == {key_of(index) for index in range(4)}
    for file in history.files.values():
        assert file.last_stage in STAGES
        assert all(seconds >= 0 for seconds in file.stage_latencies_s().values())


@given(st.sets(st.integers(0, len(GOOD.events) - 1)))
def test_fewer_events_never_show_a_file_further_on(taken: set[int]) -> None:
    whole = GOOD.history
    part = fold(tuple(event for index, event in enumerate(GOOD.events) if index not in taken))
    for key, file in part.files.items():
        assert STAGES.index(file.last_stage) <= STAGES.index(whole.files[key].last_stage)
        assert file.stage_latencies_s().items() <= whole.files[key].stage_latencies_s().items()


@given(st.integers(0, len(GOOD.events)))
def test_folding_live_and_folding_what_is_stored_give_the_same(size: int) -> None:
    live = History()
    for event in GOOD.events[:size]:
        live.apply(event)
    assert asdict(live) == asdict(fold(GOOD.events[:size]))


def test_a_stored_ledger_folds_to_the_history_that_was_written(tmp_path: Path) -> None:
    reading = read(GOOD.store(tmp_path / "run").ledger)
    stored, live = fold(reading.events), GOOD.history
    assert {key: asdict(file) for key, file in stored.files.items()} == {
        key: asdict(file) | {"made_s": stored.files[key].made_s} for key, file in live.files.items()
    }


@given(VALUES, st.floats(min_value=0, max_value=100))
def test_a_percentile_was_measured_and_covers_its_share(values: list[float], rank: float) -> None:
    found = percentile(values, rank)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= rank * len(values) * (1 - 1e-12)
    assert sum(value < found for value in values) * 100 <= rank * len(values)


@given(VALUES)
def test_percentiles_do_not_fall(values: list[float]) -> None:
    found = summary(values)
    assert found is not None
    ordered = [found[f"p{rank}"] for rank in PERCENTILES] + [found["max"]]
    assert ordered == sorted(ordered)


def test_known_percentiles() -> None:
    values = list(range(1, 101))
    assert [percentile(values, rank) for rank in (0, 1, 50, 99, 99.1, 100)] == [1, 1, 50, 99, 100, 100]
    assert summary([]) is None
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_an_event_needs_no_planned_file() -> None:
    stray: list[Event] = [{"event": "made", "index": 99, "at_s": 1.0, "size_bytes": 1}]
    assert fold(tuple(stray)).files == {}


def test_a_mended_file_is_one_to_load_and_a_redriven_letter_is_no_longer_there() -> None:
    reject = GOOD.changing("planned", {"index": 1}, reject=True).adding(dead_letter(1), dead_letter(3))
    letters = reject.history.dead_letters
    assert len(letters) == 2
    redriven = {"event": "redriven", "keys": [key_of(1)], "message_ids": [letters[0]["message_id"]]}
    after = reject.adding({"event": "mended", "keys": [key_of(1)]}, redriven).history
    assert (after.files[key_of(1)].is_reject, after.files[key_of(1)].is_mended) == (False, True)
    assert after.files[key_of(1)].dead_letter is None
    assert after.dead_letters == letters[1:]
    assert after.redriven == {letters[0]["message_id"]}


def test_a_fault_is_at_work_from_its_beginning_to_its_healing() -> None:
    events = [{"event": "fault", "name": "cut", "action": action} for action in ("begin", "inject", "heal")]
    assert GOOD.adding(*events[:1]).history.faults_at_work == {"cut"}
    assert GOOD.adding(*events[:2]).history.faults_at_work == {"cut"}
    assert GOOD.adding(*events).history.faults_at_work == set()

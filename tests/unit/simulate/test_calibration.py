"""What is taken from a run, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from harness.errors import UsageError
from harness.history import Attempt, FileHistory, History, MergeRun
from harness.simulate.calibration import calibrate


def _history(files: int, *, merge_row_s: float = 1e-5, wait_s: float = 0.0) -> tuple[History, list[dict[str, Any]]]:
    """A file a second that takes 0.3 s, the last 0.1 s of it in COPY; two merges."""
    history, queries = History(start_at_s=1000.0), []
    for index in range(files):
        start_s = 1000.0 + index
        file = FileHistory(index, "orders", f"k{index}", 100, float(index))
        file.intended_s, file.acknowledged_s, file.sent_s = start_s, start_s + 0.01, start_s + 0.02
        end_s = start_s + 0.35 + wait_s
        file.attempts.append(Attempt(f"r{index}", "f", index == 0, start_s + 0.05, end_s, "ok", True, 1, "m", None))
        file.committed_s = end_s - 0.001
        history.files[file.key] = file
        history.invocations.append(
            {"start_s": start_s + 0.05, "end_s": end_s, "cold": index == 0, "init_ms": 700.0, "status": "ok",
             "messages": [{"keys": [file.key]}]}
        )  # fmt: skip
        queries.append(
            {"kind": "COPY", "sql": "COPY stage.orders FROM 's3://'", "at_s": end_s - 0.102 - wait_s,
             "end_s": end_s - 0.002, "error": None}
        )  # fmt: skip
    for number, rows in ((1, 1000), (2, 3000)):
        at_s = 1000.0 + number * 15
        entry = {"type": "orders", "started_s": at_s, "committed_s": at_s + 0.2 + rows * merge_row_s, "error": None,
                 "rows": [{"statement": "DELETE FROM stage.orders", "rows": rows}]}  # fmt: skip
        history.merges.append(MergeRun(number, at_s, at_s, entry["committed_s"], 0.0, [entry]))
        delete_at_s = at_s + 0.75 * (entry["committed_s"] - at_s)
        queries.append(
            {"kind": "DELETE", "sql": "DELETE FROM stage.orders", "error": None, "at_s": delete_at_s,
             "end_s": entry["committed_s"]}
        )  # fmt: skip
    return history, queries


def test_each_time_is_found_again() -> None:
    found = calibrate(*_history(40), 2)
    (orders,) = found.types
    assert orders.rest_s[3] == pytest.approx(0.2, abs=0.01)
    assert orders.hold_s[3] == pytest.approx(0.1, abs=0.01)
    assert orders.merge_fixed_s == pytest.approx(0.2, abs=0.001)
    assert orders.merge_row_s == pytest.approx(1e-5)
    assert found.merge_lock_share == pytest.approx(0.25)
    assert found.delivery_s[0] == pytest.approx(0.02, abs=0.001)
    assert found.cold_s == (pytest.approx(0.7),)
    assert found.rows_per_file == 100


def test_waiting_for_the_lock_is_not_taken_for_service() -> None:
    found = calibrate(*_history(40, wait_s=0.95), 2)  # each COPY but the first begins before the one before has ended
    assert found.types[0].hold_s[5] == pytest.approx(1.0, abs=0.05)
    assert found.types[0].rest_s[5] == pytest.approx(0.2, abs=0.05)


def test_too_short_a_run_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="has 5 loaded files to learn from; the model needs 20"):
        calibrate(*_history(5), 2)


def test_a_run_without_a_merge_is_refused() -> None:
    history, queries = _history(40)
    history.merges.clear()
    with pytest.raises(UsageError, match="no merge of orders"):
        calibrate(history, queries, 2)


def test_only_the_first_part_is_learnt_from_when_asked() -> None:
    assert calibrate(*_history(60), 2, before_s=30.5).files == 31


def test_a_merge_without_rows_tells_what_one_takes_anyhow() -> None:
    history, queries = _history(40)
    entry = {"type": "orders", "started_s": 1045.0, "committed_s": 1045.15, "error": None, "rows": []}
    history.merges.append(MergeRun(3, 1045.0, 1045.0, 1045.15, 0.0, [entry]))
    (orders,) = calibrate(history, queries, 2).types
    assert orders.merge_fixed_s == pytest.approx(0.15)
    assert orders.merge_fixed_s + orders.merge_row_s * 2000 == pytest.approx(0.22)


def test_others_work_on_the_machine_is_not_taken_for_contention_without_bound() -> None:
    history, queries = _history(40)
    for number, file in enumerate(history.files.values()):
        if number % 2:  # every other file meets the one before, and takes ten times as long
            attempt = file.attempts[0]
            file.attempts[0] = replace(attempt, start_s=attempt.start_s - 0.9, end_s=attempt.end_s + 3)
            history.invocations[number] |= {"start_s": attempt.start_s - 0.9, "end_s": attempt.end_s + 3}
    assert 0 < calibrate(history, queries, 2).slowdown <= 0.5

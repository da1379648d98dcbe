"""The model's own error, and the runs it is measured on."""

import json
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.history import History
from harness.run_directory import RunDirectory, RunFacts
from harness.simulate.validation import ERROR_MAX, Error, StoredRun, load, others, settings_of

FACTS = RunFacts(
    "steady", "?", "default", ("orders",), 1, 60.0, 30.0, 15.0, {"orders": 60}, 60.0, 60.0, 60, 6000, "embedded",
    "2026-01-01T00:00:00Z", {}, {"cpus": 2},
)  # fmt: skip


def _store(path: Path, files: int, *, drained: bool = True, faults: tuple[str, ...] = ()) -> RunDirectory:
    path.mkdir()
    directory = RunDirectory(path)
    facts = FACTS.__dict__ | {"files_scheduled": files, "records_scheduled": files * 100}
    directory.write_facts(RunFacts(**facts))
    events = [
        {"event": "provisioned", "max_receive_count": {}, "faults": list(faults),
         "functions": {"f": {"type": "orders", "batch_size": 5, "batch_window_s": 2, "maximum_concurrency": 4}}},
        {"event": "drained", "drained": drained, "after_s": 1.0},
        {"event": "run_finished", "events": 3, "interrupted": False},
    ]  # fmt: skip
    lines = [json.dumps({"n": number, "at_s": 0.0} | event) for number, event in enumerate(events, start=1)]
    directory.ledger.write_text("".join(line + "\n" for line in lines))
    return directory


def test_only_usual_runs_at_another_rate_are_held_out(tmp_path: Path) -> None:
    run = load(_store(tmp_path / "run", 60))
    _store(tmp_path / "same_rate", 60)
    _store(tmp_path / "undrained", 120, drained=False)
    _store(tmp_path / "faulty", 120, faults=("stop",))
    _store(tmp_path / "other_rate", 120)
    (tmp_path / "no_run").mkdir()
    assert [other.name for other in others(run)] == ["other_rate"]


def test_the_settings_are_those_that_the_run_kept(tmp_path: Path) -> None:
    found = settings_of(load(_store(tmp_path / "run", 60)))
    assert (found.batch_size, found.batch_window_s, found.maximum_concurrency, found.merge_every_s) == (5, 2.0, 4, 15.0)


def test_a_run_that_kept_none_is_taken_for_aws_own(tmp_path: Path) -> None:
    found = settings_of(StoredRun(tmp_path, FACTS, History()))
    assert (found.batch_size, found.maximum_concurrency) == (1, None)


def test_an_error_is_as_large_as_its_worst_percentile() -> None:
    error = Error("run", 60.0, True, {"p50": 10.0, "p99": 20.0}, {"p50": 9.0, "p99": 24.0}, {"p50": -0.1, "p99": 0.2})
    assert error.worst == 0.2 > ERROR_MAX
    assert error.to_json()["within"] is False


def test_what_is_no_run_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        load(RunDirectory(tmp_path))

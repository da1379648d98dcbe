"""Which COPY was a file's own, and how long it waited for its table's lock."""

import json
from pathlib import Path

import pytest

from harness.checks import default_checks
from harness.queries import NAME
from harness.report import breakdown
from harness.verdict import judge_stored
from tests.unit.run_fixtures import START_S, good_run, key_of

TABLES = {"orders": "stage.orders", "clicks": "stage.clicks"}


def _copy(index: int, lock_wait_s: float, table: str = "orders", **changes: object) -> str:
    start_s = START_S + index + 0.3
    query = {"at_s": start_s, "end_s": start_s + 0.3, "sql": f'COPY "stage"."{table}"\nFROM \'s3://x\'', "error": None}
    return json.dumps(query | {"lock_wait_s": lock_wait_s} | changes) + "\n"


def _phases(tmp_path: Path, *lines: str) -> dict[str, dict[str, float]]:
    directory = good_run().supposing(stage_tables=TABLES).store(tmp_path / "run")
    (directory.path / NAME).write_text("".join(lines))
    history = judge_stored(directory, default_checks()).evidence.history
    return {key: file.phase_ms for key, file in history.files.items()}


def test_the_wait_is_taken_out_of_the_copy_of_the_file_whose_it_was(tmp_path: Path) -> None:
    phases = _phases(tmp_path, _copy(0, 0.0), _copy(2, 0.2))
    assert phases[key_of(2)] == {"read": 100.0, "check": 50.0, "connect": 10.0, "copy": 50.0, "lock_wait": 200.0}
    assert phases[key_of(0)]["lock_wait"] == 0.0
    assert "lock_wait" not in phases[key_of(1)]


@pytest.mark.parametrize(
    "line",
    [
        _copy(2, 0.2, table="clicks"),
        _copy(2, 0.2, error="cancelled"),
        _copy(2, 0.2, at_s=START_S + 1),
        _copy(2, 0.2, end_s=START_S + 9),
        _copy(2, 0.2, sql="INSERT INTO stage.orders SELECT 1"),
    ],
    ids=["other table", "failed", "before the invocation", "after the commit", "no COPY"],
)
def test_another_statement_is_not_taken_for_it(line: str, tmp_path: Path) -> None:
    assert "lock_wait" not in _phases(tmp_path, line)[key_of(2)]


def test_it_is_a_part_of_its_own_in_the_breakdown(tmp_path: Path) -> None:
    directory = good_run().supposing(stage_tables=TABLES).store(tmp_path / "run")
    (directory.path / NAME).write_text(_copy(2, 0.2))
    parts = breakdown.parts_in(breakdown.of_run(judge_stored(directory, default_checks()).evidence.history))
    assert "phase:lock_wait" in parts

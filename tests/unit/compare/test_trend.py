"""A history: the run since which something is different is named, noise is not, and a count that leaves zero is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import trend
from harness.compare import measure
from harness.errors import UsageError
from tests.unit.compare.histories import drawn_run, store
from tests.unit.run_fixtures import Run, dead_letter


def _history(path: Path, runs: list[Run]) -> list[dict[str, object]]:
    trend.add(path / "history.jsonl", [trend.line(measure(run), "v1") for run in store(runs, path / "runs", 0)])
    return trend.read(path / "history.jsonl")


def _runs(first_seed: int, number: int, slower: float = 1.0) -> list[Run]:
    return [drawn_run(first_seed + index, 0.03, slower) for index in range(number)]


@pytest.mark.parametrize(("slower", "worse"), [(1.25, True), (0.75, False)])
def test_the_run_since_which_it_is_slower_is_named(slower: float, worse: bool, tmp_path: Path) -> None:
    found = trend.changes(_history(tmp_path, [*_runs(0, 6), *_runs(50, 5, slower)]))
    since = {one.name: one.since for one in found}
    assert since["handler p50"] == "run-6"
    assert {one.worse for one in found} == {worse}


@pytest.mark.parametrize("seed", range(0, 500, 100))
def test_noise_is_no_change(seed: int, tmp_path: Path) -> None:
    assert trend.changes(_history(tmp_path, _runs(seed, 11))) == []


def test_one_dead_letter_after_many_runs_without_is_told(tmp_path: Path) -> None:
    runs = _runs(0, 5)
    runs[3] = runs[3].adding(dead_letter(1))
    (change,) = trend.changes(_history(tmp_path, runs))
    assert (change.name, change.since, change.detail, change.worse) == ("dead letters", "run-3", "0 → 1", True)


def test_what_is_not_measured_any_more_is_told(tmp_path: Path) -> None:
    runs = _runs(0, 5)
    runs[4] = runs[4].without("invocation")
    found = {one.name: one for one in trend.changes(_history(tmp_path, runs))}
    assert found["handler p50"].detail == "not measured any more"


def test_a_run_is_added_once_and_other_loads_are_refused(tmp_path: Path) -> None:
    lines = _history(tmp_path, _runs(0, 3))
    trend.add(tmp_path / "history.jsonl", lines)
    assert len(trend.read(tmp_path / "history.jsonl")) == 3
    with pytest.raises(UsageError, match=r"whose time_scale differs: 1, 60\.0"):
        trend.changes([*lines, {**lines[0], "time_scale": 1}])


def test_a_line_that_is_no_run_is_refused(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    history.write_text('{"schema": 1}\n')
    with pytest.raises(UsageError, match="line 1 is not a run"):
        trend.read(history)


def test_the_command_adds_and_exits_as_it_says(tmp_path: Path) -> None:
    store([*_runs(0, 6), *_runs(50, 5, 1.25)], tmp_path / "runs", 0)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", "trend", "history.jsonl", *arguments], cwd=tmp_path, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip

    assert run("runs/run-0").returncode == 3
    worse = run("runs", "--label", "abc", "--json")
    assert worse.returncode == 1, worse.stderr
    assert "run-6" in {one["since"] for one in json.loads(worse.stdout)["changes"]}
    assert run("--recent", "2").returncode == 0

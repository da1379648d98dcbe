"""The second look at a history: what otava finds, what it cannot find, and what is told when it did not look."""

import json
import random
from pathlib import Path

import pytest

from harness import change_points, trend
from harness.change_points import OtavaError, opinion, points
from harness.command_compare import show_trend
from harness.compare import measure
from harness.errors import ExitCode
from tests.unit.compare.histories import drawn_run, store
from tests.unit.run_fixtures import Run

real_otava = pytest.mark.skipif(
    not change_points.OTAVA.exists(), reason="apache-otava is not set up: `make setup-otava` makes its environment"
)


def _runs(first_seed: int, number: int, slower: float = 1.0) -> list[Run]:
    return [drawn_run(first_seed + index, 0.03, slower) for index in range(number)]


def _history(directory: Path, runs: list[Run]) -> Path:
    history = directory / "history.jsonl"
    trend.add(history, [trend.line(measure(run), "") for run in store(runs, directory / "runs", 0)])
    return history


def _program(directory: Path, script: str) -> Path:
    """Stands for otava, to answer as it does when something is wrong."""
    path = directory / "otava"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@real_otava
def test_otava_names_a_change_that_is_too_young_for_the_harness_itself(tmp_path: Path) -> None:
    lines = trend.read(_history(tmp_path, [*_runs(0, 9), *_runs(50, 3, 1.3)]))
    assert trend.changes(lines) == []  # which wants four runs on either side
    second = opinion(lines)
    assert second.why_not is None
    found = {one.name: one for one in second.changes}["handler p50"]
    assert (found.since, found.worse, found.judge) == ("run-9", True, "otava")
    assert found.ratio == pytest.approx(1.3, abs=0.1)


@real_otava
def test_otava_alone_does_not_see_a_single_run_with_a_loss() -> None:
    counted = [0.0] * 6 + [1.0] + [0.0] * 5
    assert points({"records lost": counted}) == {"records lost": []}
    lines = [
        {"run": f"{n}", "started_at": f"{n:02}", "scenario": "", "files_scheduled": 1, "time_scale": 1, "problem": None,
         "counts": {"records lost": int(number)}, "metrics": {}}
        for n, number in enumerate(counted)
    ]  # fmt: skip
    assert [(one.since, one.judge) for one in trend.changes(lines)] == [("6", "harness")]


@real_otava
def test_otava_finds_nothing_in_noise_and_numbers_the_runs_that_measured() -> None:
    luck = random.Random(1)
    steady = [100 * luck.lognormvariate(0, 0.03) for _ in range(20)]
    risen = [*steady[:12], *(1.2 * value for value in steady[12:])]
    found = points({"steady": steady, "risen": risen, "short": steady[:1]})
    assert (found["steady"], found["short"]) == ([], [])
    (one,) = found["risen"]
    assert one.at == 12
    assert one.after / one.before == pytest.approx(1.2, abs=0.05)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        # what it does when it cannot read its input
        ("echo 'ERROR: Input file not found' >&2", r"exit code 0, 0 of 1 series, and it said 'ERROR: Input file"),
        ("""echo '{"series-0": []}'; exit 1""", "exit code 1, 1 of 1 series, and it said 'nothing'"),
        ("echo 'time value'", "it said 'time value'"),
        ("""echo '{"series-0": [{"changes": [{"index": 3}]}]}'""", "it said "),
    ],
)
def test_an_answer_that_is_none_is_not_taken_for_no_change(script: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(OtavaError, match=told):
        points({"a": [1.0, 2.0]}, _program(tmp_path, script))


@pytest.mark.parametrize("script", [None, "exit 1"])
def test_without_otava_the_harness_judges_all_the_same_and_says_so(
    script: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history = _history(tmp_path, [*_runs(0, 6), *_runs(50, 5, 1.25)])
    otava = _program(tmp_path, script) if script else tmp_path / "nowhere"
    monkeypatch.setattr(change_points, "OTAVA", otava)
    assert show_trend(history, (), "", 10, False) == ExitCode.FAIL
    told = capsys.readouterr()
    assert "worse  handler p50" in told.out
    assert ("did not look at the whole history" if script else "`make setup-otava`") in told.err
    assert show_trend(history, (), "", 10, True) == ExitCode.FAIL
    assert json.loads(capsys.readouterr().out)["otava"]["looked"] is False


def test_what_otava_finds_is_told_beside_and_does_not_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history = _history(tmp_path, _runs(0, 9))
    series = {f"series-{number}": [] for number in range(len(trend.METRICS))}
    found = {"index": 7, "mean_before": "0.4", "mean_after": "0.9"}
    monkeypatch.setattr(change_points, "points", lambda *_: {**series, "handler p50": [change_points._point(found)]})
    monkeypatch.setattr(change_points, "OTAVA", _program(tmp_path, ""))
    assert show_trend(history, (), "", 10, False) == ExitCode.PASS
    assert "run-7  worse  handler p50: +125% (0.4 → 0.9 s), says otava" in capsys.readouterr().out

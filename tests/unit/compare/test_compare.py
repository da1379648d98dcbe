"""The gate: what got slower or worse is found, noise is not, and what cannot be told is never a pass."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from harness.compare import Comparison, Measured, Outcome, compare, measure, runs_in
from harness.compare.text import render, to_json
from harness.errors import UsageError
from tests.unit.compare.histories import drawn_run, store
from tests.unit.run_fixtures import Run, accounted, dead_letter

RUNS = 7
QUIET, LOUD = 0.03, 0.5
HANDLER = "handler p50"


def _side(runs: list[Run], path: Path, turn: int, **facts: object) -> list[Measured]:
    return [measure(directory) for directory in store(runs, path, turn, **facts)]


def _compared(tmp_path: Path, base: list[Run], head: list[Run]) -> Comparison:
    return compare(_side(base, tmp_path / "base", 0), _side(head, tmp_path / "head", 1))


def _runs(first_seed: int, noise: float = QUIET, slower: float = 1.0, number: int = RUNS) -> list[Run]:
    return [drawn_run(first_seed + index, noise, slower) for index in range(number)]


def _outcome(comparison: Comparison, name: str) -> Outcome:
    return next(one.outcome for one in comparison.findings if one.name == name)


def test_a_handler_that_is_a_fifth_slower_is_found_and_named(tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(0), _runs(100, slower=1.2))
    assert (comparison.outcome, comparison.exit_code) == (Outcome.WORSE, 1)
    assert _outcome(comparison, HANDLER) is Outcome.WORSE
    assert _outcome(comparison, "upload p50") is Outcome.SAME
    assert "**handler p50**" in render(comparison, "markdown")


def test_a_handler_that_is_a_fifth_faster_is_better(tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(0, slower=1.25), _runs(100))
    assert (comparison.outcome, comparison.exit_code) == (Outcome.BETTER, 0)


def test_a_change_too_small_to_matter_is_no_reason_to_stop(tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(0, noise=0.001), _runs(100, noise=0.001, slower=1.06))
    assert (comparison.outcome, comparison.exit_code) == (Outcome.SAME, 0)


@pytest.mark.parametrize("seed", range(0, 10_000, 1_000))
def test_equals_are_the_same(seed: int, tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(seed), _runs(seed + 500))
    assert comparison.outcome is Outcome.SAME
    assert comparison.notes == ()


def test_noise_is_neither_a_regression_nor_a_pass(tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(0, LOUD), _runs(100, LOUD))
    assert (comparison.outcome, comparison.exit_code) == (Outcome.TOO_NOISY, 3)
    assert "could hide in this noise" in render(comparison, "markdown")


@pytest.mark.parametrize("number", [1, 2])
def test_too_few_runs_cannot_tell_of_latencies(number: int, tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(0, number=number), _runs(100, slower=3.0, number=number))
    assert (comparison.outcome, comparison.exit_code) == (Outcome.TOO_NOISY, 3)


BROKEN = {
    "records lost": lambda run: run.changing("accounted", {"index": 3}, missing=3, merged=97),
    "records duplicated": lambda run: run.changing("accounted", {"index": 3}, duplicated=1),
    "records altered": lambda run: run.changing("accounted", {"index": 3}, altered=1),
    "records unexpected": lambda run: run.changing("accounted_type", {"type": "orders"}, unexpected=1),
    "dead letters": lambda run: run.adding(dead_letter(1)),
    "runs that failed": lambda run: run.adding(dead_letter(1)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_count_that_leaves_zero_in_one_run_of_many_is_worse(name: str, tmp_path: Path) -> None:
    head = _runs(100)
    head[RUNS // 2] = BROKEN[name](head[RUNS // 2])
    comparison = _compared(tmp_path, _runs(0), head)
    assert (comparison.outcome, comparison.exit_code) == (Outcome.WORSE, 1)
    assert _outcome(comparison, name) is Outcome.WORSE


@pytest.mark.parametrize("name", BROKEN)
def test_a_count_needs_one_run_and_no_quiet(name: str, tmp_path: Path) -> None:
    comparison = _compared(tmp_path, [drawn_run(1, LOUD)], [BROKEN[name](drawn_run(2, LOUD))])
    assert (comparison.outcome, comparison.exit_code) == (Outcome.WORSE, 1)


def test_losses_that_were_there_before_are_not_held_against_the_head(tmp_path: Path) -> None:
    base, head = ([BROKEN["records lost"](run) for run in _runs(seed)] for seed in (0, 100))
    comparison = _compared(tmp_path, base, head)
    assert comparison.outcome is Outcome.SAME
    assert "Runs of the base failed their own checks." in comparison.notes


def test_what_was_not_measured_never_passes(tmp_path: Path) -> None:
    head = _runs(100)
    head[0] = head[0].without("invocation")
    comparison = _compared(tmp_path, _runs(0), head)
    assert _outcome(comparison, HANDLER) is Outcome.MISSING
    assert comparison.exit_code == 3


def test_what_was_measured_of_some_files_only_never_passes(tmp_path: Path) -> None:
    head = _runs(100)
    head[0] = head[0].without("invocation", request_id="request-5")
    comparison = _compared(tmp_path, _runs(0), head)
    assert _outcome(comparison, HANDLER) is Outcome.MISSING
    assert comparison.exit_code == 3


def test_what_neither_side_measured_never_passes(tmp_path: Path) -> None:
    without = [[run.without("invocation") for run in _runs(seed)] for seed in (0, 100)]
    comparison = _compared(tmp_path, *without)
    assert _outcome(comparison, HANDLER) is Outcome.MISSING
    assert comparison.exit_code == 3


def test_a_metric_that_one_side_alone_has_never_passes(tmp_path: Path) -> None:
    base = [run.changing("invocation", {}, cpu_ms=100.0) for run in _runs(0)]
    comparison = _compared(tmp_path, base, _runs(100))
    assert _outcome(comparison, "handler CPU per invocation") is Outcome.MISSING
    assert comparison.exit_code == 3


def test_more_cpu_is_found_where_it_is_measured(tmp_path: Path) -> None:
    base = [run.changing("invocation", {}, cpu_ms=100.0 + n) for n, run in enumerate(_runs(0))]
    head = [run.changing("invocation", {}, cpu_ms=125.0 + n) for n, run in enumerate(_runs(100))]
    assert _outcome(_compared(tmp_path, base, head), "handler CPU per invocation") is Outcome.WORSE


def test_a_run_that_cannot_tell_is_no_evidence(tmp_path: Path) -> None:
    head = _runs(100)
    head[0] = head[0].without("accounted", index=0)
    comparison = _compared(tmp_path, _runs(0), head)
    assert comparison.exit_code == 3
    assert "run-0: " in render(comparison, "markdown")


def test_a_run_that_failed_and_was_not_counted_is_no_evidence(tmp_path: Path) -> None:
    sides = [[run.adding(dead_letter(1)).without("accounted", index=3) for run in _runs(seed)] for seed in (0, 100)]
    assert _compared(tmp_path, *sides).exit_code == 3


def test_a_cut_ledger_is_no_evidence(tmp_path: Path) -> None:
    base = _side(_runs(0), tmp_path / "base", 0)
    directories = store(_runs(100), tmp_path / "head", 1)
    lines = directories[0].ledger.read_text().splitlines(keepends=True)
    directories[0].ledger.write_text("".join(lines[:-1]))
    assert compare(base, [measure(directory) for directory in directories]).exit_code == 3


def test_runs_that_were_not_made_in_turns_say_so(tmp_path: Path) -> None:
    base = _side(_runs(0), tmp_path / "base", 0)
    head = _side(_runs(100), tmp_path / "head", 1)
    late = [replace(one, facts=replace(one.facts, started_at="2027-01-01T00:00:00Z")) for one in head]
    assert any("not made in turns" in note for note in compare(base, late).notes)


def test_other_machines_and_seeds_are_told(tmp_path: Path) -> None:
    base = _side(_runs(0), tmp_path / "base", 0)
    head = _side(_runs(100), tmp_path / "head", 1, machine={"cpus": 64}, seed=99)
    notes = " ".join(compare(base, head).notes)
    assert "kind of machine" in notes
    assert "different seeds" in notes


@pytest.mark.parametrize(
    "facts", [{"scenario": "steady"}, {"time_scale": 1.0}, {"files_scheduled": 25}, {"types": ("orders",)}]
)
def test_only_like_is_compared_with_like(facts: dict[str, object], tmp_path: Path) -> None:
    base = _side(_runs(0, number=1), tmp_path / "base", 0)
    head = _side(_runs(100, number=1), tmp_path / "head", 1, **facts)
    with pytest.raises(UsageError, match="compare runs of the same scenario"):
        compare(base, head)


def test_a_run_is_evidence_once(tmp_path: Path) -> None:
    (run,) = _side(_runs(0, number=1), tmp_path / "base", 0)
    with pytest.raises(UsageError, match="twice"):
        compare([run], [run])
    with pytest.raises(UsageError, match="at least one run"):
        compare([run], [])


def test_a_directory_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a run directory nor"):
        runs_in(tmp_path)


def test_json_and_junit_say_the_same(tmp_path: Path) -> None:
    comparison = _compared(tmp_path, _runs(0), [accounted_late(run) for run in _runs(100, slower=1.3)])
    told = json.loads(render(comparison, "json"))
    assert told == json.loads(json.dumps(to_json(comparison)))
    assert told["outcome"] == "worse"
    (handler,) = (one for one in told["findings"] if one["name"] == HANDLER)
    assert handler["ratio"]["low"] > 1
    assert len(handler["base"]) == len(handler["head"]) == RUNS
    suite = ET.fromstring(render(comparison, "junit"))
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert failed == {one["name"] for one in told["findings"] if one["outcome"] == "worse"}
    assert int(suite.get("failures", "")) == len(failed)


def accounted_late(run: Run) -> Run:
    """The same counts, told by later events: the last word counts."""
    return run.adding(accounted(0))


def test_words_of_a_run_are_no_markdown(tmp_path: Path) -> None:
    base = _side(_runs(0, number=1), tmp_path / "base", 0, scenario="<b>[x](y)|")
    head = _side(_runs(100, number=1), tmp_path / "head", 1, scenario="<b>[x](y)|")
    assert "\\<b\\>\\[x\\](y)\\|" in render(compare(base, head), "markdown")


def test_the_command_takes_directories_of_runs_and_exits_as_it_says(tmp_path: Path) -> None:
    store(_runs(0), tmp_path / "base", 0)
    store(_runs(100, slower=1.3), tmp_path / "head", 1)
    store(_runs(200), tmp_path / "same", 1)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", "compare", *arguments], cwd=tmp_path, capture_output=True, text=True,
            timeout=60, check=False, env=os.environ | {"PYTHONWARNINGS": "error"},
        )  # fmt: skip

    worse = run("base", "head", "--json", "--report", "report.md")
    assert (worse.returncode, json.loads(worse.stdout)["outcome"]) == (1, "worse"), worse.stderr
    assert (tmp_path / "report.md").read_text().startswith("## Worse: ")
    assert run("base", "same").returncode == 0
    assert run("base/run-0", "same/run-0").returncode == 3
    assert run("base/run-0", "base/run-0").returncode == 2
    several = [option for n in (1, 2, 3, 4, 5, 6) for option in ("--base", f"base/run-{n}", "--head", f"same/run-{n}")]
    assert run("base/run-0", "same/run-0", *several).returncode == 0
    nowhere = run("base", "nowhere")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (2, 1)


def test_runs_that_were_only_late_are_no_exact_count(tmp_path: Path) -> None:
    late = [run.supposing(sla_s=0.5) for run in _runs(300)]
    (found,) = [one for one in compare([measure(one) for one in store(late[:3], tmp_path / "a", 0)],
                                       [measure(one) for one in store(late[3:6], tmp_path / "b", 1)]).findings
                if one.name == "runs that were late"]  # fmt: skip
    assert (found.outcome, found.base, found.head) == (Outcome.SAME, (1.0,) * 3, (1.0,) * 3)

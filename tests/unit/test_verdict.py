"""The judgement, and that `verdict.json` keeps its contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.checks import Check, Verdict, default_checks
from harness.errors import ExitCode, UsageError
from harness.run_directory import RunDirectory
from harness.verdict import judge_stored
from tests.unit.run_fixtures import Run, dead_letter, good_run

GOOD = good_run()
PERCENTILES = {"p50", "p95", "p99", "max"}
CONTRACT: dict[str, set[str]] = {
    "files": {"scheduled", "uploaded", "loaded", "merged", "dead_lettered", "lost", "duplicated"},
    "records": {"expected", "merged", "dead_lettered", "lost", "duplicated", "unexpected"},
    "throughput": {"files_per_min", "records_per_s"},
    "offered": {"files_per_min", "start_lag_ms"},
    "latency_s": {"end_to_end", "stages"},
    "sla": {"limit_s", "met", "worst_s"},
}
STAGES = {"upload", "notify", "queue", "handler", "merge_wait", "merge"}


def _says(verdict: Verdict) -> Check:
    return Check(f"says_{verdict}", lambda _: (verdict, "because"))


def _verdict_json(run: Run) -> dict[str, Any]:
    return run.judged_by(*default_checks()).to_json()


def test_verdict_json_holds_what_the_contract_says() -> None:
    verdict = _verdict_json(GOOD)
    assert {"schema", "verdict", "scenario", "seed", "time_scale", "checks", "versions", *CONTRACT} <= set(verdict)
    assert verdict["schema"] == 1
    for part, keys in CONTRACT.items():
        assert keys <= set(verdict[part]), part
    assert set(verdict["latency_s"]["end_to_end"]) == PERCENTILES
    assert set(verdict["latency_s"]["stages"]) == STAGES
    assert all(set(stage) == PERCENTILES for stage in verdict["latency_s"]["stages"].values())
    assert set(verdict["offered"]["start_lag_ms"]) == {"p50", "p99", "max"}
    assert all(set(check) == {"name", "verdict", "detail"} for check in verdict["checks"])
    assert json.loads(json.dumps(verdict, allow_nan=False)) == verdict


def test_the_figures_of_a_good_run() -> None:
    verdict = _verdict_json(GOOD)
    assert verdict["verdict"] == "pass"
    assert verdict["files"] == {
        "scheduled": 4, "uploaded": 4, "loaded": 4, "merged": 4, "dead_lettered": 0, "lost": 0, "on_the_way": 0,
        "duplicated": 0,
    }  # fmt: skip
    assert verdict["records"]["expected"] == verdict["records"]["merged"] == 400
    assert verdict["offered"]["files_per_min"] == 60
    assert verdict["offered"]["start_lag_ms"]["max"] == pytest.approx(2, abs=0.1)
    # orders are merged 6 s after the start, clicks a second later; the first file was due at the start
    assert verdict["latency_s"]["end_to_end"]["max"] == verdict["sla"]["worst_s"] == 6.0
    assert verdict["sla"] == {"limit_s": 30.0, "met": True, "worst_s": 6.0}
    assert verdict["throughput"]["files_per_min"] == round(4 / 7 * 60, 2)


def test_what_nobody_measured_is_null_and_not_met() -> None:
    nothing = GOOD.without("uploaded").without("invocation").without("merged")
    verdict = _verdict_json(nothing)
    assert verdict["latency_s"]["end_to_end"] is None
    assert set(verdict["latency_s"]["stages"].values()) == {None}
    assert verdict["throughput"] == {"files_per_min": None, "records_per_s": None}
    assert verdict["offered"]["start_lag_ms"] is None
    assert verdict["sla"]["met"] is False
    assert verdict["verdict"] != "pass"


def test_lost_and_dead_lettered_are_told_apart() -> None:
    missing = GOOD.changing("accounted", {"index": 1}, merged=0, missing=100)
    assert _verdict_json(missing)["records"]["lost"] == 100
    assert _verdict_json(missing)["files"]["lost"] == 1
    kept = _verdict_json(missing.adding(dead_letter(1)))
    assert (kept["records"]["lost"], kept["records"]["dead_lettered"]) == (0, 100)
    assert (kept["files"]["lost"], kept["files"]["dead_lettered"]) == (0, 1)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((Verdict.PASS, Verdict.PASS), Verdict.PASS),
        ((Verdict.PASS, Verdict.INCONCLUSIVE), Verdict.INCONCLUSIVE),
        ((Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.PASS), Verdict.FAIL),
        ((), Verdict.INCONCLUSIVE),
    ],
)
def test_the_worst_check_decides(said: tuple[Verdict, ...], verdict: Verdict) -> None:
    assert GOOD.judged_by(*map(_says, said)).verdict is verdict


@pytest.mark.parametrize(
    "run",
    [
        GOOD.with_defects("the run did not finish: its last line is missing"),
        GOOD.without("run_finished"),
        GOOD.changing("run_finished", {}, interrupted=True),
    ],
    ids=["defects", "not finished", "interrupted"],
)
@pytest.mark.parametrize("said", [Verdict.PASS, Verdict.FAIL])
def test_an_incomplete_run_neither_passes_nor_fails(run: Run, said: Verdict) -> None:
    assert run.judged_by(_says(said)).verdict is Verdict.INCONCLUSIVE


def test_each_verdict_has_its_exit_code() -> None:
    codes = {verdict: GOOD.judged_by(_says(verdict)).exit_code for verdict in Verdict}
    assert codes == {
        Verdict.PASS: ExitCode.PASS,
        Verdict.FAIL: ExitCode.FAIL,
        Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    }


def test_a_stored_run_gets_the_same_verdict_again(tmp_path: Path) -> None:
    stored = judge_stored(GOOD.store(tmp_path / "run"), default_checks())
    assert stored.to_json() == _verdict_json(GOOD)


def test_a_directory_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run directory"):
        judge_stored(RunDirectory(tmp_path), default_checks())

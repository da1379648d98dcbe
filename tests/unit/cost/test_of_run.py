"""What a run would cost, in the verdict, the report and comparisons; always called a model, never made up."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.compare.measure import measure
from harness.cost.of_run import cost_of
from harness.report import render
from harness.verdict_text import verdict_text
from tests.unit.run_fixtures import Run, good_run

FUNCTIONS = {f"load-{name}": {"memory_mb": 1_024} for name in ("orders", "clicks")}
GOOD = good_run().adding({"event": "provisioned", "max_receive_count": {}, "faults": [], "functions": FUNCTIONS})


def slower(run: Run, factor: float) -> Run:
    events = [
        one | {"duration_ms": one["duration_ms"] * factor} if one["event"] == "invocation" else one
        for one in run.events
    ]
    return replace(run, events=tuple(events))


def test_cost_follows_the_billed_time() -> None:
    once, twice = cost_of(GOOD.evidence), cost_of(slower(GOOD, 2).evidence)
    assert once is not None
    assert twice is not None
    more = twice.usd_per_1000_files - once.usd_per_1000_files
    assert more == pytest.approx(1_000 * 0.48 * 0.0000166667, rel=0.05)  # 0.48 s more a file, at 1 GB
    assert once.usd_per_million_records == pytest.approx(once.usd_per_1000_files * 10)  # 100 records a file


def test_the_verdict_and_its_words_have_it() -> None:
    judgement = GOOD.judged_by()
    cost = judgement.to_json()["cost"]
    assert cost["usd_per_1000_files"] > 0
    assert set(cost["usd_per_day"]) == {"Lambda", "SQS", "S3", "CloudWatch", "Redshift"}
    assert "for 1,000 files, without landing and warehouse; a model" in verdict_text(judgement)


def test_a_run_that_cannot_be_priced_has_no_cost() -> None:
    run = good_run()
    assert run.judged_by().to_json()["cost"] is None
    assert "cost" not in verdict_text(run.judged_by())


def test_the_report_has_a_panel_and_calls_it_a_model(tmp_path: Path) -> None:
    page = render(GOOD.store(tmp_path / "run"), GOOD.judged_by(), "html")
    assert "What it would cost" in page
    assert "a model, not a bill" in page
    assert "× $0.0000166667 per GB-s" in page
    without = good_run()
    assert "What it would cost" not in render(without.store(tmp_path / "without"), without.judged_by(), "html")


def test_a_comparison_measures_it(tmp_path: Path) -> None:
    once = measure(GOOD.store(tmp_path / "once")).metrics["cost per 1,000 files"]
    twice = measure(slower(GOOD, 2).store(tmp_path / "twice")).metrics["cost per 1,000 files"]
    assert once is not None
    assert twice is not None
    assert twice > once
    assert measure(good_run().store(tmp_path / "unknown")).metrics["cost per 1,000 files"] is None

"""The published figures' neighbours are taken rightly, and a run that held looks unlike one that did not."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.errors import UsageError
from harness.reproduce.figures import figures_of, restated_s
from harness.reproduce.page import page
from tests.unit.run_fixtures import Run, dead_letter, good_run

GOOD = good_run()
FUNCTIONS = {f"load-{name}": {"memory_mb": 1_024} for name in ("orders", "clicks")}
PROVISIONED = {"event": "provisioned", "max_receive_count": {}, "faults": [], "functions": FUNCTIONS}


def test_only_what_waited_for_the_schedule_is_stretched() -> None:
    file = next(iter(GOOD.evidence.files))
    waited_s = file.stage_latencies_s()["merge_wait"]
    assert file.end_to_end_s is not None
    assert restated_s(file, 60.0) == pytest.approx(file.end_to_end_s + 59 * waited_s)
    assert restated_s(file, 1.0) == file.end_to_end_s


def test_a_run_in_figures() -> None:
    found = figures_of(GOOD.evidence, "good")
    assert (found.files, found.files_per_min, found.interval_s) == (4, 60.0, 900.0)
    assert found.function is not None
    assert found.function.p50_s == pytest.approx(0.5)
    assert found.concurrency_mean == pytest.approx(0.5)  # Little: one a second × 0.5 s
    assert found.concurrency_max == 1
    assert (found.lost, found.doubled, found.dead_lettered, found.late) == (0, 0, 0, 0)
    assert found.within_20_min == 1.0


def test_trouble_shows() -> None:
    lost = GOOD.changing("accounted", {"index": 1}, merged=40, missing=60, duplicated=5).adding(dead_letter(1))
    found = figures_of(lost.without("merged", type="clicks").evidence, "bad")
    assert (found.lost, found.doubled, found.dead_lettered) == (60, 5, 1)
    assert found.late == 2  # the files of clicks never were queryable
    assert found.within_20_min == 0.5


def test_a_file_that_is_late_at_the_true_clock_is_late() -> None:
    slow = figures_of(GOOD.supposing(time_scale=6_000.0, sla_s=0.3).evidence, "slow")
    assert slow.late > 0


@pytest.mark.parametrize("run", [GOOD, GOOD.without("invocation").without("merged"), good_run(1)])
def test_the_page_takes_any_run(run: Run) -> None:
    text = page([figures_of(run.evidence, "one"), figures_of(run.supposing(time_scale=1.0).evidence, "two")], None)
    assert "| published | real time | time scale 60 |" in text
    assert "What compression changed" in text
    assert "None of these runs has the published load" in text
    assert "shorter than one interval" in text


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    GOOD.adding(PROVISIONED).store(tmp_path / "runs" / "a")
    out = tmp_path / "page.md"
    result = CliRunner().invoke(cli, ["reproduce", str(tmp_path / "runs"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    text = out.read_text(encoding="utf-8")
    assert "| a file in the function, p50 · p99 · worst | about 25 s | 500 ms · 500 ms · 500 ms |" in text
    assert "| new / old, without what both have | about 0.1 |" in text
    assert "2 CPUs, 24.0 GiB" in text


def test_a_run_without_its_memory_has_no_cost_but_a_page(tmp_path: Path) -> None:
    GOOD.store(tmp_path / "a")
    result = CliRunner().invoke(cli, ["reproduce", str(tmp_path / "a")])
    assert result.exit_code == 0, result.output
    assert "## Cost" not in result.stdout
    assert "no cost: this run does not say how much memory" in result.stderr


def test_what_is_no_run_is_refused() -> None:
    result = CliRunner().invoke(cli, ["reproduce", "nowhere"])
    assert isinstance(result.exception, UsageError)


def test_a_run_at_the_published_load_is_not_called_small() -> None:
    found = figures_of(GOOD.supposing(time_scale=1.0, merge_every_s=2.0).evidence, "whole")
    whole = replace(found, files_per_min=100.0, records=found.files * 10_000)
    text = page([whole], None)
    assert "None of these runs" not in text
    assert "shorter than one interval" not in text

"""The page of a comparison says what the comparison says, loads nothing, and shows the runs' texts without obeying."""

from pathlib import Path

import pytest

from harness.command_compare import compare_runs
from harness.compare import Comparison, compare, measure
from harness.report.comparison import page
from tests.unit.compare.histories import drawn_run, store

RUNS = 7


def _compared(tmp_path: Path, slower: float, runs: int = RUNS, **facts: str) -> Comparison:
    base = store([drawn_run(seed, 0.03) for seed in range(runs)], tmp_path / "base", 0, **facts)
    head = store([drawn_run(100 + seed, 0.03, slower) for seed in range(runs)], tmp_path / "head", 1, **facts)
    return compare(*([measure(directory) for directory in side] for side in (base, head)))


def test_a_slower_head_is_worse_with_the_metric_and_its_runs(tmp_path: Path) -> None:
    text = page(_compared(tmp_path, 1.3))
    assert '<header class="fail">' in text
    assert "handler p50: +" in text
    assert "Worse: handler p50" in text
    assert text.count(">run-3</td>") == 2
    assert 'id="plot-changes"' in text


def test_equals_are_the_same(tmp_path: Path) -> None:
    text = page(_compared(tmp_path, 1.0))
    assert '<header class="pass">' in text
    assert "SAME" in text


def test_too_few_runs_cannot_tell_and_draw_no_chart(tmp_path: Path) -> None:
    text = page(_compared(tmp_path, 1.3, runs=2))
    assert '<header class="inconclusive">' in text
    assert 'id="plot-changes"' not in text


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    assert "<script>alert" not in page(_compared(tmp_path, 1.0, pipeline=hostile, scenario=hostile))


@pytest.mark.parametrize(("name", "begins"), [("a.html", "<!DOCTYPE html>"), ("a.md", "## ")])
def test_the_report_is_a_page_or_markdown_by_its_name(name: str, begins: str, tmp_path: Path) -> None:
    _compared(tmp_path, 1.0)
    compare_runs([str(tmp_path / "base")], [str(tmp_path / "head")], "markdown", tmp_path / name)
    assert (tmp_path / name).read_text().startswith(begins)

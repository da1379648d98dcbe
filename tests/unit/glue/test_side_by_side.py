"""What two judged runs say side by side, and the page that shows it."""

import json
from pathlib import Path

from harness import pipeline as pipelines
from harness.checks import default_checks
from harness.cost.measured_batch import measured_job
from harness.errors import ExitCode
from harness.report.side_by_side import page, text
from harness.side_by_side import SideBySide, compare
from tests.unit.glue.test_runs import FILES, failed_batch, good_batch
from tests.unit.run_fixtures import RECORDS, Run, good_run

PIPELINE = pipelines.load(Path(__file__).parents[3] / "glue.toml")


def beside(event: Run, batch: Run) -> SideBySide:
    return compare(event.judged_by(*default_checks()), batch.judged_by(*default_checks()), PIPELINE)


def test_a_batch_that_failed_is_counted_and_the_other_design_decides() -> None:
    found = beside(good_run(FILES), failed_batch())
    event, batch = found.designs
    assert (event.sla_misses, event.records_lost, event.runs_failed) == (0, 0, 0)
    assert (batch.sla_misses, batch.records_lost, batch.runs_failed) == (FILES, FILES * RECORDS, 1)
    assert batch.records_in_failed_runs == FILES * RECORDS
    assert (event.function_s, event.dpu_s, batch.function_s, batch.dpu_s) == (1.9, None, None, 120.0)
    assert found.exit_code is ExitCode.PASS
    assert found.cost is None
    assert "nothing to price" in json.dumps(found.to_json())


def test_a_batch_that_cannot_tell_leaves_the_comparison_open() -> None:
    cut_short = good_batch().with_defects("its last line is cut short")
    assert beside(good_run(FILES), cut_short).exit_code is ExitCode.INCONCLUSIVE


def test_a_true_batch_is_larger_than_a_compressed_one() -> None:
    assert PIPELINE.batch is not None
    job = measured_job(good_batch().evidence, every_s=PIPELINE.batch.every_s)
    assert job is not None
    # 4 files in 4 s; a run of 2 s, half a second of it Spark's start, for 4 files: 0.375 s a file, 1,800 files a run
    assert job.run_s == 0.5 + 0.375 * 1800
    assert job.dpus == 2
    # COPY and merge of each of the two types: 0.75 s, for 2 files
    assert job.load_s == 0.375 * 1800
    assert measured_job(failed_batch().evidence) is None


def test_the_page_and_the_text_show_both() -> None:
    found = beside(good_run(FILES), failed_batch())
    shown = page(found, "20260101T000000-side_by_side")
    for part in ('href="event/report.html"', 'href="batch/report.html"', "out of memory", "Availability over time"):
        assert part in shown
    assert "records lost" in text(found)
    assert "Glue job: nothing_lost: 4 files lost records" in text(found)

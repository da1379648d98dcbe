"""The half-hourly job as its runs have shown it, stretched to a half hour's files."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.cost.measured_batch import measured_job
from harness.errors import UsageError
from tests.unit.run_fixtures import START_S, good_run


def batch_run(number: int, files: int, took_s: float, status: str = "ok") -> dict[str, Any]:
    keys = [f"orders/{number}-{index}" for index in range(files)]
    return {
        "event": "batch_run", "run_id": f"glue-{number}", "started_s": START_S, "ended_s": START_S + took_s,
        "status": status, "spark_ready_s": 10.0, "dpu_s": 2.0 * max(60.0, took_s),
        "types": [{"type": "orders", "keys": keys, "copy_started_s": START_S, "committed_s": START_S + 2}],
        "job": "glue", "error": None,
    }  # fmt: skip


def test_the_time_beyond_sparks_start_grows_with_the_files() -> None:
    runs = [batch_run(1, 30, 40.0), batch_run(2, 30, 40.0), batch_run(3, 0, 12.0), batch_run(4, 30, 5.0, "failed")]
    evidence = good_run().supposing(merge_every_s=30.0).adding(*runs).evidence
    job = measured_job(evidence, files_per_min=100)
    assert job is not None
    # 30 s for 30 files beyond a start of 10 s: 3,000 files of a half hour take 3,000 s
    assert job.run_s == pytest.approx(10 + 3_000)
    assert (job.dpus, job.every_s) == (pytest.approx(2.0), 1_800)
    more = measured_job(evidence, files_per_min=100, dpus=10)
    assert more is not None
    assert more.dpus == 10


def test_the_command_takes_a_run_of_the_old_design(tmp_path: Path) -> None:
    functions = {f"load-{name}": {"memory_mb": 1_024} for name in ("orders", "clicks")}
    made = {"event": "provisioned", "max_receive_count": {}, "faults": [], "functions": functions}
    new = good_run().adding(made).store(tmp_path / "new")
    old = good_run().supposing(merge_every_s=30.0).adding(batch_run(1, 30, 40.0)).store(tmp_path / "old")
    command = ["cost", str(new.path), "--rate", "100/min", "--batch-run", str(old.path)]
    result = CliRunner().invoke(cli, [*command, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["batch_job"]["run_s"] == pytest.approx(3_010)
    both = CliRunner().invoke(cli, [*command, "--batch-minutes", "5"])
    assert isinstance(both.exception, UsageError)


def test_a_run_of_the_other_design_has_no_job(tmp_path: Path) -> None:
    assert measured_job(good_run().evidence) is None
    functions = {f"load-{name}": {"memory_mb": 1_024} for name in ("orders", "clicks")}
    made = {"event": "provisioned", "max_receive_count": {}, "faults": [], "functions": functions}
    run = good_run().adding(made).store(tmp_path / "run")
    result = CliRunner().invoke(cli, ["cost", str(run.path), "--batch-run", str(run.path)])
    assert isinstance(result.exception, UsageError)
    assert "no run of a batch job" in str(result.exception)

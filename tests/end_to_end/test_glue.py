"""The design that was replaced, for real: Spark in its own environment, the same emulator, stand-in and verdict.

Needs `make setup-glue` and Java 17; without them these tests are skipped and say so.
"""

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.glue import environment
from tests.end_to_end.conftest import ROOT, Harness

SMALL = ("--rate", "120/min", "--duration", "6s", "--records", "500", "--time-scale", "20", "--json")

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _spark() -> None:
    try:
        environment.find()
    except HarnessError as error:
        pytest.skip(f"the Glue design is not tested: {error}")


@pytest.fixture
def glue_pipeline(tmp_path: Path) -> Path:
    """The Glue design with a run every five minutes, 15 seconds at a scale of 20, and an SLA that a busy machine keeps:
    these tests ask what becomes of the records, not how fast."""
    base = (ROOT / "pipeline.toml").read_text().replace('"handler/sql/', f'"{ROOT}/handler/sql/')
    (tmp_path / "pipeline.toml").write_text(base.replace("sla_s = 1800", "sla_s = 36000"))
    own = (ROOT / "glue.toml").read_text().replace('"glue/job.py"', f'"{ROOT}/glue/job.py"')
    path = tmp_path / "glue.toml"
    path.write_text(own.replace("every_s = 1800", "every_s = 300"))
    return path


def test_every_record_of_every_format_arrives_unchanged(harness: Harness, tmp_path: Path, glue_pipeline: Path) -> None:
    run = harness("run", "smoke", "--pipeline", glue_pipeline, *SMALL, "--out", "run")
    assert run.exit_code == 0, run.stderr + run.stdout
    verdict = run.json
    assert verdict["verdict"] == "pass"
    assert verdict["files"]["merged"] == 12
    assert verdict["records"]["merged"] == 6000
    assert verdict["batch_runs"]["failed"] == 0
    assert verdict["batch_runs"]["dpu_seconds"] >= 120
    assert all(verdict["latency_s"]["stages"][stage] for stage in ("upload", "batch_wait", "batch", "merge"))
    assert "handler" not in verdict["latency_s"]["stages"]
    assert "</html>" in (tmp_path / "run" / "report.html").read_text()
    again = harness("check", "run", "--json")
    assert (again.exit_code, again.json) == (0, verdict)


def test_a_driver_without_enough_memory_loses_the_batch_and_is_convicted(harness: Harness, glue_pipeline: Path) -> None:
    text = glue_pipeline.read_text()
    glue_pipeline.write_text(text.replace("driver_memory_mb = 1024", "driver_memory_mb = 36"))
    # 3,600 s to drain are 30 s here: time for a run that fails, and another
    run = harness("run", "smoke", "--pipeline", glue_pipeline, *SMALL, "--time-scale", "120")
    assert run.exit_code == 1, run.stderr + run.stdout
    details = {check["name"]: check for check in run.json["checks"]}
    assert details["nothing_lost"]["verdict"] == "fail"
    assert "the driver ran out of memory" in details["nothing_lost"]["detail"]
    assert details["drained"]["verdict"] == "fail"
    assert run.json["records"]["lost"] == 6000
    assert run.json["batch_runs"]["failed"] == run.json["batch_runs"]["count"] > 0


def test_both_designs_on_the_same_files(harness: Harness, tmp_path: Path, glue_pipeline: Path) -> None:
    pipeline = glue_pipeline.with_name("pipeline.toml")
    run = harness("run", "side_by_side", "--pipeline", pipeline, *SMALL, "--out", "both")
    assert run.exit_code == 0, run.stderr + run.stdout
    event, batch = run.json["designs"]
    assert (event["files"], batch["files"]) == (12, 12)
    assert (event["records_lost"], batch["records_lost"]) == (0, 0)
    assert event["function_s"] > 0
    assert batch["dpu_s"] > 0
    assert run.json["cost_model"]["own_ratio"] > 0
    keys = [(tmp_path / "both" / design / "ledger.jsonl").read_text() for design in ("event", "batch")]
    planned = [[line.partition('"event":')[2] for line in text.splitlines() if '"planned"' in line] for text in keys]
    assert planned[0] == planned[1]
    assert "Availability over time" in (tmp_path / "both" / "report.html").read_text()

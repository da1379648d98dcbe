"""What becomes of a run of the job in the ledger, the history and the verdict; a batch that fails is convicted."""

from pathlib import Path
from typing import Any

import pytest

from harness import pipeline as pipelines
from harness.checks import Verdict, default_checks
from harness.errors import UsageError
from harness.glue import billing, submit
from harness.glue.environment import GlueEnvironment
from harness.glue.job import BatchRun, _why
from harness.merge import read_job
from harness.stack.endpoints import Endpoints, Redshift
from harness.timing import scaled
from tests.unit.run_fixtures import RECORDS, START_S, TYPES, Run, good_run, key_of

ROOT = Path(__file__).parents[3]
PIPELINE = pipelines.load(ROOT / "glue.toml")
OUT_OF_MEMORY = "the driver ran out of memory: java.lang.OutOfMemoryError: Java heap space"
FILES = 4


def batch_run(*, committed: bool) -> dict[str, Any]:
    """One run of the job that took every file, and committed or not."""
    started_s = START_S + FILES + 1
    return {
        "event": "batch_run", "run_id": "glue-1", "job": "glue", "started_s": started_s, "ended_s": started_s + 2,
        "status": "ok" if committed else "failed", "error": None if committed else OUT_OF_MEMORY, "dpu_s": 120.0,
        "spark_ready_s": 0.5,
        "types": [
            {"type": name, "keys": [key_of(index) for index in range(offset, FILES, len(TYPES))],
             "copy_started_s": started_s + offset + 0.25 if committed else None,
             "merge_started_s": started_s + offset + 0.5 if committed else None,
             "committed_s": started_s + offset + 1 if committed else None}
            for offset, name in enumerate(TYPES)
        ],
    }  # fmt: skip


def good_batch() -> Run:
    """The good run, as the batch design would have made it."""
    run = good_run(FILES).without("invocation").supposing(design="batch", visibility_timeout_s={})
    run = run.changing("sample", {}, queues={})
    return run.adding(batch_run(committed=True))


def failed_batch() -> Run:
    """The same when no run of the job committed."""
    run = good_batch().without("batch_run").without("merged")
    run = run.changing("accounted", {}, merged=0, missing=RECORDS).changing("drained", {}, drained=False)
    return run.adding(batch_run(committed=False))


def test_a_good_batch_passes_with_the_stages_that_are_there() -> None:
    judgement = good_batch().judged_by(*default_checks())
    assert judgement.verdict is Verdict.PASS, judgement.results
    found = judgement.to_json()
    assert set(found["latency_s"]["stages"]) == {"upload", "batch_wait", "batch", "merge"}
    assert all(found["latency_s"]["stages"].values())
    assert found["batch_runs"]["count"] == 1
    assert found["batch_runs"]["dpu_seconds"] == 120.0
    assert found["files"]["loaded"] == FILES


def test_the_stages_of_a_file_add_up() -> None:
    for file in good_batch().history.files.values():
        assert sum(file.stage_latencies_s().values()) == pytest.approx(file.end_to_end_s)


def test_a_batch_that_ran_out_of_memory_is_convicted_and_named() -> None:
    judgement = failed_batch().judged_by(*default_checks())
    assert judgement.verdict is Verdict.FAIL
    details = {result.name: result for result in judgement.results}
    assert details["nothing_lost"].verdict is Verdict.FAIL
    assert "last seen uploaded [request glue-1 (the driver ran out of memory" in details["nothing_lost"].detail
    assert judgement.to_json()["batch_runs"]["failed"] == 1


def said(event: str, **fields: Any) -> dict[str, Any]:
    return {"event": event, "at_s": START_S + 1, **fields}


def test_types_that_a_failed_run_did_not_reach_are_rolled_back_and_the_others_are_not() -> None:
    events = (
        said("spark_ready"), said("listed", type="orders", keys=["a"]), said("listed", type="clicks", keys=["b"]),
        said("committed", type="orders", merge_started_s=START_S + 2, committed_s=START_S + 3, rows=[]),
    )  # fmt: skip
    run = BatchRun("glue-1", START_S, START_S + 5, "failed", "Py4JJavaError: no", events)
    orders, clicks = run.merges(("orders", "clicks"))
    assert (orders.committed_s, orders.error) == (START_S + 3, None)
    assert (clicks.committed_s, clicks.error) == (None, "Py4JJavaError: no")
    of_type = {one["type"]: one for one in run.to_event(PIPELINE)["types"]}
    assert of_type["orders"]["keys"] == ["a"]
    assert of_type["clicks"]["committed_s"] is None


def test_why_a_run_failed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("INFO\nTerminating due to java.lang.OutOfMemoryError: Java heap space\n")
    assert _why(3, (), [log]).startswith("the driver ran out of memory: Terminating")
    log.write_text("warning\nlast words\n")
    assert _why(1, (said("job_failed", error_type="KeyError", error="x"),), [log]) == "KeyError: x"
    assert _why(1, (), [log]) == "exit code 1: warning | last words"
    assert _why(None, (), [log]) == "it took longer than batch.timeout_s"


def test_a_run_is_billed_a_minute_at_least_for_every_worker() -> None:
    assert PIPELINE.batch is not None
    assert billing.dpu_seconds(PIPELINE.batch, 5) == 2 * 60
    assert billing.dpu_seconds(PIPELINE.batch.model_copy(update={"worker_type": "G.2X"}), 100) == 2 * 2 * 100
    assert billing.task_slots(PIPELINE.batch.model_copy(update={"workers": 3})) == 8


def test_the_password_is_in_no_command_line() -> None:
    redshift = Redshift("127.0.0.1", 5439, "dev", "awsuser", "s3cret-password", "/ca.pem")
    endpoints = Endpoints(
        "embedded", "http://127.0.0.1:4566", "us-east-1", redshift, redshift, ROOT, ROOT, ROOT, None, {}
    )
    glue = GlueEnvironment(Path("/v/bin/python"), Path("/v/bin/spark-submit"), Path("/java/bin/java"))
    command = submit.command(glue, PIPELINE, read_job(PIPELINE), Path("/w"))
    assert command[1:5] == ["--master", "local[4]", "--driver-memory", "1024m"]
    assert not any("s3cret" in part for part in command)
    assert submit.environment(glue, PIPELINE, endpoints, Path("/w"))["REDSHIFT_PASSWORD"] == "s3cret-password"


def test_the_description_extends_the_other_one(tmp_path: Path) -> None:
    base = pipelines.load(ROOT / "pipeline.toml")
    assert PIPELINE.types == base.types
    timing = scaled(PIPELINE, 60)
    assert (timing.merge_every_s, timing.visibility_timeout_s) == (30, {})
    for extends, told in [("../pipeline.toml", "is not the name of a file"), ("none.toml", "no such file")]:
        path = tmp_path / "own.toml"
        path.write_text(f'extends = "{extends}"\n')
        with pytest.raises(UsageError, match=told):
            pipelines.load(path)


def test_a_description_that_extends_an_extending_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('extends = "c.toml"\n')
    with pytest.raises(UsageError, match="itself extends another"):
        pipelines.load(tmp_path / "a.toml")

"""The main job, end to end, on the embedded stack: real emulator, real drivers, real handler, real Locust."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Harness
from tests.end_to_end.stack_probe import processes_of

CONTRACT_KEYS = {
    "schema", "verdict", "scenario", "seed", "time_scale", "files", "records", "throughput", "offered", "latency_s",
    "sla", "checks", "versions",
}  # fmt: skip
SMALL = ("--duration", "4s", "--records", "2000")


@pytest.fixture
def own_temporary() -> Iterator[dict[str, str]]:
    """An environment in which everything temporary is made in a directory of the test's own."""
    directory = Path(tempfile.mkdtemp(prefix="nrt-test-"))
    directory.chmod(0o711)  # as root, the warehouse runs as nobody, who has to get there
    yield {"TMPDIR": str(directory)}
    assert list(directory.iterdir()) == [], "left behind"
    directory.rmdir()


def test_smoke_passes_is_judged_again_the_same_and_leaves_nothing(
    harness: Harness, tmp_path: Path, quick_pipeline: Path, own_temporary: dict[str, str]
) -> None:
    run = harness("run", "smoke", "--pipeline", quick_pipeline, "--json", "--out", "run", environment=own_temporary)
    assert run.exit_code == 0, run.stderr + run.stdout
    verdict = run.json
    assert set(verdict) >= CONTRACT_KEYS
    assert verdict["verdict"] == "pass"
    assert verdict["files"] == {
        "scheduled": 24, "uploaded": 24, "loaded": 24, "merged": 24, "dead_lettered": 0, "lost": 0, "on_the_way": 0,
        "duplicated": 0,
    }  # fmt: skip
    assert verdict["records"]["expected"] == verdict["records"]["merged"] == 240_000
    for stage, figures in verdict["latency_s"]["stages"].items():
        assert set(figures) == {"p50", "p95", "p99", "max"}, stage
    directory = tmp_path / "run"
    assert json.loads((directory / "verdict.json").read_text()) == verdict
    assert ET.parse(directory / "junit.xml").getroot() is not None
    assert "</html>" in (directory / "report.html").read_text()
    assert processes_of(tmp_path, {}) == []

    again = harness("check", "run", "--json")
    assert (again.exit_code, again.json) == (0, verdict)

    ledger = directory / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    taken = next(number for number, line in enumerate(lines) if '"event":"accounted"' in line)
    ledger.write_text("".join(lines[:taken] + lines[taken + 1 :]))
    without = harness("check", "run", "--json")
    assert (without.exit_code, without.json["verdict"]) == (3, "inconclusive")


DELETE_ONE_FILE = """
import json, os, psycopg2
status = json.load(open(os.environ["HARNESS_STATUS"]))["redshift"]
connection = psycopg2.connect(host=status["host"], port=status["port"], dbname=status["database"],
    user=status["user"], password=status["password"])
with connection, connection.cursor() as cursor:
    cursor.execute("DELETE FROM public.orders WHERE source_file LIKE '%orders-000004%'")
    assert cursor.rowcount == 2000, cursor.rowcount
open("secret", "w").write(status["password"])
"""


def test_rows_that_vanish_before_judging_fail_the_run_and_name_their_file(
    harness: Harness, tmp_path: Path, quick_pipeline: Path
) -> None:
    script = tmp_path / "delete.py"
    script.write_text(DELETE_ONE_FILE)
    run = harness(
        "run", "smoke", "--pipeline", quick_pipeline, *SMALL, "--json",
        "--before-judging", f"{sys.executable} {script}",
    )  # fmt: skip
    assert run.exit_code == 1, run.stderr + run.stdout
    details = {check["name"]: check for check in run.json["checks"]}
    assert details["nothing_lost"]["verdict"] == "fail"
    assert "orders/dt=2026-01-01/orders-000004.csv.gz: 2,000 of 2,000 records" in details["nothing_lost"]["detail"]
    assert "last seen merged" in details["nothing_lost"]["detail"]
    assert run.json["files"]["lost"] == 1
    assert details["nothing_doubled"]["verdict"] == "pass"
    secret = (tmp_path / "secret").read_bytes()
    kept = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert len(secret) > 20
    assert len(kept) > 8
    assert [path for path in kept if secret in path.read_bytes()] == []


@pytest.mark.parametrize("phase", [pytest.param("provisioning", marks=pytest.mark.slow), "offering"])
def test_ctrl_c_stops_cleanly_and_is_inconclusive(
    harness: Harness, tmp_path: Path, quick_pipeline: Path, phase: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "smoke", "--pipeline", quick_pipeline, "--out", "run"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # a shell starts background jobs with SIGINT ignored, and these tests may run in one
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if phase in line:
            break
    rest = threading.Thread(target=lambda: said.extend(process.stderr or ()))
    rest.start()
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    stdout = process.stdout.read()
    rest.join()
    process.stdout.close()
    process.stderr.close()
    assert process.wait() == 3, "".join(said)
    assert stdout.startswith("INCONCLUSIVE")
    assert processes_of(tmp_path, {}) == []
    assert harness("check", "run").exit_code == 3


def test_a_running_stack_is_used_and_stays_up(harness: Harness, quick_pipeline: Path) -> None:
    up = harness("up", "--pipeline", quick_pipeline, "--json")
    assert up.exit_code == 0, up.stderr
    try:
        status = harness("status", "--json").json
        assert {"stack", "aws_endpoint_url", "redshift", "pipeline", "pids"} <= set(status)
        assert set(status["redshift"]) == {"host", "port", "database", "user", "password", "ca_file"}
        for seed in ("1", "1"):  # the same files again: a run starts from empty tables
            run = harness("run", "smoke", "--pipeline", quick_pipeline, *SMALL, "--seed", seed, "--json")
            assert run.exit_code == 0, run.stderr + run.stdout
        assert harness("status").exit_code == 0
    finally:
        down = harness("down")
    assert down.exit_code == 0, down.stderr
    assert harness("status").exit_code == 1
    assert processes_of(Path(status["directory"]), status["pids"]) == []

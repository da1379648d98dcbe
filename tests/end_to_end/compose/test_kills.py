"""A service is killed during a run and started again: nothing is lost, and the verdict says what was away."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from testcontainers.compose import DockerCompose

from tests.end_to_end.compose.conftest import PROJECT, ROOT, bring_back, container, docker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PATIENCE_S = 300
FILES = 20
RUN = ("run", "smoke", "--realtime", "--rate", "60/min", "--duration", f"{FILES}s", "--records", "200", "--json")


@dataclass(frozen=True)
class Going:
    """A run that goes on, and how to wait for parts of it."""

    process: "subprocess.Popen[str]"
    directory: Path

    def wait_for(self, event: str, count: int) -> None:
        ledger, deadline_s = self.directory / "ledger.jsonl", time.monotonic() + PATIENCE_S
        while not (ledger.exists() and ledger.read_text().count(f'"event":"{event}"') >= count):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline_s
            time.sleep(0.1)

    def end(self) -> dict[str, Any]:
        """The verdict."""
        output, errors = self.process.communicate(timeout=PATIENCE_S)
        assert output, errors
        verdict: dict[str, Any] = json.loads(output)
        return verdict


@contextmanager
def going(directory: Path, *command: str | Path) -> Iterator[Going]:
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield Going(process, directory)
    finally:
        process.kill()
        process.communicate()


def from_host(pipeline_file: Path, out: Path) -> list[str | Path]:
    words: list[str | Path] = [sys.executable, "-m", "harness", *RUN, "--stack", "compose", "--pipeline", pipeline_file]
    return [*words, "--out", out]


def assert_nothing_lost(verdict: dict[str, Any], files: int = FILES) -> None:
    assert verdict["files"]["scheduled"] == files
    assert verdict["records"]["lost"] == verdict["records"]["duplicated"] == verdict["records"]["altered"] == 0
    assert verdict["records"]["merged"] == verdict["records"]["expected"] == verdict["files"]["uploaded"] * 200
    checks = {check["name"]: check for check in verdict["checks"]}
    assert checks["nothing_lost"]["verdict"] == "pass"
    assert checks["drained"]["verdict"] == "pass"


def run_complete(verdict: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(check for check in verdict["checks"] if check["name"] == "run_complete")
    return found


def test_the_warehouse_is_killed(project: DockerCompose, pipeline_file: Path, tmp_path: Path) -> None:
    del project
    with going(tmp_path / "run", *from_host(pipeline_file, tmp_path / "run")) as run:
        run.wait_for("merged", 1)
        docker("kill", f"{PROJECT}-redshift-1")
        bring_back("redshift")
        verdict = run.end()
    assert_nothing_lost(verdict)
    assert verdict["files"]["uploaded"] == FILES
    assert run_complete(verdict)["verdict"] == "inconclusive"
    assert "redshift was away for" in run_complete(verdict)["detail"]
    assert verdict["verdict"] == "inconclusive"


def test_a_warehouse_that_is_gone_when_records_are_counted_is_one_line_that_says_what_to_do(
    project: DockerCompose, pipeline_file: Path, tmp_path: Path
) -> None:
    del project
    hook = f"docker kill {PROJECT}-redshift-1"
    try:
        done = subprocess.run(
            [*from_host(pipeline_file, tmp_path / "run"), "--before-judging", hook],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        bring_back("redshift")
    assert done.returncode == 4, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("harness: accounting for "), done.stderr
    assert "no connection to 127.0.0.1:" in last
    assert "see `docker compose logs redshift` for why it ended, then run again" in last
    assert "Is the server running" not in done.stderr


def test_the_emulator_is_killed(project: DockerCompose, pipeline_file: Path, tmp_path: Path) -> None:
    del project
    with going(tmp_path / "run", *from_host(pipeline_file, tmp_path / "run")) as run:
        run.wait_for("merged", 1)
        docker("kill", f"{PROJECT}-localstack-1")
        bring_back("localstack")
        verdict = run.end()
    # Files that no S3 took while it was away are the sources' to send again; what it acknowledged has to be there.
    assert_nothing_lost(verdict)
    assert "localstack was away for" in run_complete(verdict)["detail"]
    assert verdict["verdict"] == "inconclusive"


def test_the_harness_service_is_killed_and_a_run_from_the_host_does_not_mind(
    project: DockerCompose, pipeline_file: Path, tmp_path: Path
) -> None:
    del project
    with going(tmp_path / "run", *from_host(pipeline_file, tmp_path / "run")) as run:
        run.wait_for("merged", 1)
        docker("kill", f"{PROJECT}-harness-1")
        bring_back("harness")
        verdict = run.end()
    assert_nothing_lost(verdict)
    assert run_complete(verdict)["verdict"] == "pass"


def test_a_run_whose_own_container_is_killed_is_judged_as_far_as_it_went(
    project: DockerCompose, pipeline_file: Path, compose_runs: Path, tmp_path: Path
) -> None:
    del project
    name = f"{PROJECT}-killed"
    inside = ["docker", "compose", "run", "--rm", "-T", "--name", name, "harness", *RUN]
    inside += ["--pipeline", f"/pipeline/{pipeline_file.name}", "--out", "runs/killed"]
    with going(compose_runs / "killed", *inside) as run:
        run.wait_for("uploaded", 5)
        docker("kill", name)
        run.process.wait(PATIENCE_S)
    judged = subprocess.run(
        [sys.executable, "-m", "harness", "check", compose_runs / "killed", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 3, judged.stderr
    verdict = json.loads(judged.stdout)
    assert "the ledger is not whole" in run_complete(verdict)["detail"]
    # the stack is free for the next run
    with going(tmp_path / "run", *from_host(pipeline_file, tmp_path / "run")) as run:
        assert run.end()["verdict"] == "pass"


def test_a_killed_warehouse_comes_back_with_its_rows(project: DockerCompose) -> None:
    variables = dict(line.partition("=")[::2] for line in container("redshift")["Config"]["Env"])
    port = project.get_service_port("redshift", 5439)

    def connect() -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1", port=port, dbname="dev", user="awsuser", password=variables["REDSHIFT_PASSWORD"]
        )

    connection = connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.kept (a int)")
        cursor.execute("INSERT INTO public.kept VALUES (7)")
    connection.close()
    docker("kill", f"{PROJECT}-redshift-1")
    bring_back("redshift")
    connection = connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT a FROM public.kept")
        assert cursor.fetchall() == [(7,)]
        cursor.execute("DROP TABLE public.kept")
    connection.close()

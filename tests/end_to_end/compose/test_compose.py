"""docker compose, for real: the project comes up healthy, keeps to itself, and runs scenarios from host and inside."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from testcontainers.compose import DockerCompose

from harness.stack.emulator import SERVICES
from tests.end_to_end.compose.conftest import ROOT, container, docker, run_inside
from tests.end_to_end.conftest import Harness

pytestmark = pytest.mark.timeout(900)

LARGEST_IMAGE_BYTES = 700_000_000
SERVING = ("localstack", "redshift", "harness")
# Slow enough for a busy machine: what is compared is what became of the files, not how fast.
SCENARIO = ("run", "smoke", "--realtime", "--duration", "4s", "--records", "1000", "--json")


def test_every_service_is_healthy_and_its_image_is_small(project: DockerCompose) -> None:
    del project
    for service in SERVING:
        described = container(service)
        assert described["State"]["Health"]["Status"] == "healthy", service
        image = json.loads(docker("image", "inspect", described["Image"]))[0]
        assert image["Size"] < LARGEST_IMAGE_BYTES, service


def test_containers_are_shut_in(project: DockerCompose) -> None:
    del project
    for service in SERVING:
        described = container(service)
        settings = described["HostConfig"]
        assert settings["ReadonlyRootfs"], service
        assert settings["Memory"] > 0, service
        assert settings["CapDrop"] == ["ALL"], service
        assert not settings["CapAdd"], service
        assert described["Config"]["User"] not in ("", "0", "root", "0:0"), service
        assert not any(mount["Destination"].endswith("docker.sock") for mount in described["Mounts"]), service
        for bindings in (settings["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, service


def test_runs_may_belong_to_anybody(project: DockerCompose) -> None:
    del project
    image = container("harness")["Image"]
    anybody = ("--user", "12345:12345", "--cap-drop", "ALL", "--network", "none", "--entrypoint", "stat")
    assert docker("run", "--rm", *anybody, image, "-c", "%a", "/nrt/runs").split() == ["755"]


def test_the_emulators_image_serves_what_the_embedded_emulator_serves(project: DockerCompose) -> None:
    served, _, _ = project.exec_in_container(["printenv", "SERVICES"], "localstack")
    assert tuple(served.strip().split(",")) == SERVICES


def verdict_without_times(verdict: dict[str, Any]) -> dict[str, Any]:
    """What must be the same wherever a scenario runs."""
    checks = {check["name"]: check["verdict"] for check in verdict["checks"]}
    counts = {name: count for name, count in verdict["files"].items() if name != "loaded"}
    return {key: verdict[key] for key in ("verdict", "scenario", "seed", "records")} | {
        "files": counts,
        "checks": checks,
    }


def ledger_facts(run: Path) -> list[tuple[str, str]]:
    """The planned, uploaded and accounted files of a ledger: what must be the same wherever a scenario runs."""
    events = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    facts = []
    for event in events:
        if event["event"] == "planned":
            facts.append(("planned", event["key"]))
        elif event["event"] == "accounted":
            counts = {name: event[name] for name in ("expected", "merged", "missing", "altered", "duplicated")}
            facts.append(("accounted", json.dumps({"index": event["index"]} | counts)))
    return sorted(facts)


@dataclass(frozen=True)
class Ran:
    """A run's verdict and directory."""

    verdict: dict[str, Any]
    directory: Path


@pytest.fixture(scope="module")
def from_host_and_inside(
    project: DockerCompose, compose_runs: Path, pipeline_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Ran]:
    del project
    here = tmp_path_factory.mktemp("host")
    host = subprocess.run(
        [sys.executable, "-m", "harness", *SCENARIO, "--stack", "compose", "--pipeline", pipeline_file,
         "--out", "host"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert host.returncode == 0, host.stderr + host.stdout
    inside = run_inside(*SCENARIO, "--pipeline", f"/pipeline/{pipeline_file.name}", "--out", "runs/inside")
    assert inside.returncode == 0, inside.stderr + inside.stdout
    return {
        "host": Ran(json.loads(host.stdout), here / "host"),
        "inside": Ran(json.loads(inside.stdout), compose_runs / "inside"),
    }


def test_host_and_container_give_the_same_verdict_and_ledger(from_host_and_inside: dict[str, Ran]) -> None:
    host, inside = (from_host_and_inside[where] for where in ("host", "inside"))
    assert host.verdict["verdict"] == "pass"
    assert verdict_without_times(host.verdict) == verdict_without_times(inside.verdict)
    assert ledger_facts(host.directory) == ledger_facts(inside.directory)
    assert json.loads((inside.directory / "run.json").read_text())["stack"] == "compose"
    assert "</html>" in (inside.directory / "report.html").read_text()


@pytest.mark.slow
def test_the_embedded_stack_gives_the_same_too(
    from_host_and_inside: dict[str, Ran], harness: Harness, tmp_path: Path, pipeline_file: Path
) -> None:
    embedded = harness(*SCENARIO, "--pipeline", pipeline_file, "--out", "embedded")
    assert embedded.exit_code == 0, embedded.stderr + embedded.stdout
    assert verdict_without_times(embedded.json) == verdict_without_times(from_host_and_inside["host"].verdict)
    assert ledger_facts(tmp_path / "embedded") == ledger_facts(from_host_and_inside["host"].directory)


def test_another_pipelines_directory_is_refused(
    project: DockerCompose, harness: Harness, tmp_path: Path, quick_pipeline: Path
) -> None:
    del project, tmp_path
    result = harness("run", "smoke", "--stack", "compose", "--pipeline", quick_pipeline)
    assert result.exit_code == 4
    assert "as its pipeline" in result.stderr


def test_two_runs_at_once_are_refused(project: DockerCompose, harness: Harness) -> None:
    from harness.stack.compose import SCHEDULE_LOCK

    variables = dict(line.partition("=")[::2] for line in container("redshift")["Config"]["Env"])
    connection = psycopg2.connect(
        host="127.0.0.1", port=project.get_service_port("redshift", 5432), dbname="dev", user="nrt",
        password=variables["POSTGRES_PASSWORD"],
    )  # fmt: skip
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (SCHEDULE_LOCK,))
        result = harness("run", "smoke", "--stack", "compose", "--pipeline", ROOT / "pipeline.toml")
    finally:
        connection.close()
    assert result.exit_code == 4
    assert "another run is using the compose stack" in result.stderr

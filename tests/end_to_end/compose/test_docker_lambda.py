"""The profile docker-lambda: LocalStack's Docker executor runs functions as containers of the handler's image."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.compose_project import PORTS
from harness.stack.processes import free_port
from tests.end_to_end.compose.conftest import ROOT, docker

pytestmark = pytest.mark.timeout(900)

PROJECT = f"nrt-test-lambda-{os.getpid()}"
COMPOSE = ("compose", "--file", str(ROOT / "docker-compose.yml"), "--profile", "docker-lambda")
# Slow enough for a busy machine: what is looked at is where functions ran, not how fast.
RUN = ("run", "smoke", "--realtime", "--duration", "4s", "--records", "1000", "--json")


@pytest.fixture
def variables(engine: None, monkeypatch: pytest.MonkeyPatch, compose_runs: Path) -> None:
    del engine
    for port in PORTS.values():
        monkeypatch.setenv(port.variable, str(free_port()))
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", PROJECT)
    monkeypatch.setenv("NRT_RUNS_DIRECTORY", str(compose_runs))
    monkeypatch.setenv("NRT_WEB_PORT", str(free_port()))


def functions() -> list[str]:
    """The containers of this project's functions, running or not."""
    return docker("ps", "--all", "--quiet", "--filter", f"label=nrt-harness.functions-of={PROJECT}").split()


def services_with_the_socket(*profiles: str) -> set[str]:
    words = [word for profile in profiles for word in ("--profile", profile)]
    described = json.loads(docker(*COMPOSE[:3], *words, "config", "--format", "json"))
    return {
        name
        for name, service in described["services"].items()
        if any(volume["source"].endswith("docker.sock") for volume in service["volumes"])
    }


def test_only_the_profile_mounts_the_engines_socket_and_into_one_container(variables: None) -> None:
    del variables
    assert services_with_the_socket() == services_with_the_socket("distributed") == set()
    assert services_with_the_socket("docker-lambda") == {"docker-lambda"}


@pytest.fixture
def project(variables: None) -> Iterator[None]:
    del variables
    docker(*COMPOSE, "build", "--quiet", "docker-lambda")
    try:
        docker(*COMPOSE, "up", "--wait")
        yield
    finally:
        docker(*COMPOSE, "down", "--volumes")
    assert functions() == []
    left = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}")
    left += docker("network", "ls", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}")
    left += docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={PROJECT}")
    assert left == ""


@pytest.mark.slow
def test_functions_are_containers_of_their_image_and_go_with_the_project(
    project: None, pipeline_file: Path, compose_runs: Path
) -> None:
    del project
    done = subprocess.run(
        ["docker", *COMPOSE[:1], "--progress", "quiet", *COMPOSE[1:], "run", "--rm", "-T", "harness", *RUN,
         "--pipeline", f"/pipeline/{pipeline_file.name}", "--out", "runs/inside"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    verdict = json.loads(done.stdout)
    assert verdict["verdict"] == "pass"
    events = [json.loads(line) for line in (compose_runs / "inside" / "ledger.jsonl").read_text().splitlines()]
    invocations = [event for event in events if event["event"] == "invocation"]
    assert {invocation["status"] for invocation in invocations} == {"ok"}
    ran = json.loads(docker("inspect", *functions()))
    assert {container["Config"]["Image"] for container in ran} == {"nrt-handler:latest"}
    assert {container["Config"]["User"] for container in ran} == {"993:990"}
    alive = {container["Name"].rpartition("-")[2] for container in ran}
    assert alive <= {invocation["environment_id"] for invocation in invocations}
    # What LocalStack cannot remove itself goes all the same
    docker(*COMPOSE, "kill", "localstack")
    assert functions()

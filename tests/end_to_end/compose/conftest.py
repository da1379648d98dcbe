"""A compose project of the tests' own: other name, free ports, its runs in a directory that goes away with it.

Without an engine these tests are skipped and say so; where NRT_REQUIRE_ENGINE is set (CI) that is a failure. The
project lives for a module: whatever is tested next has the machine for itself.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testcontainers.compose import DockerCompose

from harness.stack.compose_project import PORTS
from harness.stack.processes import free_port

ROOT = Path(__file__).parents[3]
PROJECT = f"nrt-test-{os.getpid()}"


def _why_no_engine() -> str | None:
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"`{' '.join(command)}`: {error.strerror}"
        if result.returncode:
            return f"`{' '.join(command)}`: {(result.stderr or result.stdout).strip().splitlines()[-1]}"
    return None


@pytest.fixture(scope="session")
def engine() -> None:
    """An engine that answers, with Compose v2."""
    if reason := _why_no_engine():
        if os.environ.get("NRT_REQUIRE_ENGINE"):
            pytest.fail(f"a Docker engine is required here, and none can be used: {reason}")
        pytest.skip(f"no Docker engine can be used: {reason} (`.ci/docker run make test` starts one)")


@pytest.fixture(scope="session")
def pipeline_file() -> Iterator[Path]:
    """The project's own pipeline with a merge every 3 s, and messages that soon come back, so that a test can wait for
    it; its directory is what the containers have mounted."""
    text = (ROOT / "pipeline.toml").read_text()
    for slow, quick in (
        ("every_s = 900", "every_s = 3"),
        ("timeout_s = 60", "timeout_s = 15"),
        ("visibility_timeout_s = 360", "visibility_timeout_s = 20"),
    ):
        assert slow in text
        text = text.replace(slow, quick)
    path = ROOT / f".pipeline-{os.getpid()}.toml"
    path.write_text(text)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def compose_runs() -> Iterator[Path]:
    """Where the containers leave their runs: made by root, as Docker makes a missing directory."""
    directory = Path(tempfile.mkdtemp(prefix="nrt-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def project(engine: None, compose_runs: Path) -> Iterator[DockerCompose]:
    """The project, up and healthy; gone afterwards, volumes included."""
    del engine
    variables = {port.variable: str(free_port()) for port in PORTS.values()}
    variables |= {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "NRT_RUNS_DIRECTORY": str(compose_runs),
        "NRT_WEB_PORT": str(free_port()),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with DockerCompose(str(ROOT), build=True, wait=True, pull=False) as compose:
            yield compose
        left = [
            line
            for kind in (["ps", "-aq"], ["volume", "ls", "-q"], ["network", "ls", "-q"])
            for line in docker(*kind, "--filter", f"label=com.docker.compose.project={PROJECT}").split()
        ]
        assert left == [], "left behind by down -v"


def docker(*arguments: str) -> str:
    """Run `docker ARGUMENTS` and return what it printed."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def container(service: str) -> dict[str, Any]:
    """What the engine knows of a service's container."""
    found: list[dict[str, Any]] = json.loads(docker("inspect", f"{PROJECT}-{service}-1"))
    return found[0]


def run_inside(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """`docker compose run --rm harness ARGUMENTS`, without a build's progress, which Compose mixes into the output."""
    return subprocess.run(
        ["docker", "compose", "--progress", "quiet", "run", "--rm", "-T", "harness", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def bring_back(service: str) -> None:
    """Start a service that was killed, and wait until it is healthy."""
    docker("compose", "--file", str(ROOT / "docker-compose.yml"), "up", "--wait", "--no-recreate", service)

"""The pytest plugin on a compose project of the session's own: the example project passes, and nothing is left."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.compose.conftest import ROOT, docker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

QUICK = "one_basket or everyday_rate"


def projects() -> set[str]:
    """The compose projects that have a container, a volume or a network."""
    label = '{{.Label "com.docker.compose.project"}}'
    kinds = (["ps", "--all"], ["volume", "ls"], ["network", "ls"])
    return {name for kind in kinds for name in docker(*kind, "--format", label).split()}


def test_the_example_passes_on_compose(engine: None, tmp_path: Path) -> None:
    del engine
    example = Path(shutil.copytree(ROOT / "examples" / "pytest_project", tmp_path / "project"))
    before = projects()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", QUICK, "--nrt-stack", "compose"],
        cwd=example, env={name: value for name, value in os.environ.items() if name != "NRT_STACK"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert projects() == before

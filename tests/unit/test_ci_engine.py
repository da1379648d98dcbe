"""`.ci/docker run` where no engine can be had: it says so and runs the command, unless the engine is required."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "docker"
NOBODY = 65534
TELL = 'echo "required: ${NRT_REQUIRE_ENGINE:-no}"'


@pytest.fixture
def script() -> Iterator[Path]:
    """The script where everybody can read it."""
    directory = Path(tempfile.mkdtemp(prefix="nrt-test-"))
    directory.chmod(0o755)
    yield Path(shutil.copy(SCRIPT, directory))
    shutil.rmtree(directory)


def run_as_nobody(script: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "NRT_REQUIRE_ENGINE"}
    nowhere = {"DOCKER_HOST": f"unix://{script.parent}/none", "NRT_ENGINE_STATE": str(script.parent / "state")}
    return subprocess.run(
        [script, "run", "sh", "-c", TELL], capture_output=True, text=True, check=False, env=kept | nowhere | variables,
        cwd="/", user=None if os.getuid() else NOBODY, group=None if os.getuid() else NOBODY,
    )  # fmt: skip


def test_a_machine_that_can_have_none_is_told_and_the_command_runs(script: Path) -> None:
    done = run_as_nobody(script)
    assert (done.returncode, done.stdout) == (0, "required: no\n"), done.stderr
    assert done.stderr == ("engine: NO DOCKER ENGINE, SO NO COMPOSE TESTS: none answers, and only root can start one\n")


def test_where_an_engine_is_required_its_lack_is_a_failure(script: Path) -> None:
    done = run_as_nobody(script, NRT_REQUIRE_ENGINE="1")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert done.stderr == "engine: a Docker engine is required here: none answers, and only root can start one\n"

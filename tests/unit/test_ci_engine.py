"""`.ci/docker run` where no engine can be had: it says so and runs the command, unless the engine is required.

Where another caller takes one down at that moment it waits, and takes down what it brought up itself.
"""

import contextlib
import fcntl
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


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """The directory of a `docker` that always answers."""
    command = tmp_path / "bin" / "docker"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return command.parent


class Callers:
    """Callers of the script while another one, this test, has its turn."""

    def __init__(self, where: Path, docker: Path) -> None:
        self.state = where / "state"
        self.state.mkdir()
        (self.state / "owner").write_text("another run\n")
        self._environment = os.environ | {
            "PATH": f"{docker}:{os.environ['PATH']}", "NRT_ENGINE_STATE": str(self.state), "NRT_REQUIRE_ENGINE": "1",
        }  # fmt: skip

    @contextlib.contextmanager
    def waiting(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A caller that says that it waits, as it does until the block ends."""
        turn = os.open(self.state.parent, os.O_RDONLY)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            caller = subprocess.Popen(
                [SCRIPT, *words], env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            assert caller.stderr is not None
            assert "waiting for it" in caller.stderr.readline()
            yield caller
        finally:
            os.close(turn)


def test_whoever_comes_while_an_engine_is_taken_down_waits_and_has_one_of_its_own(tmp_path: Path, docker: Path) -> None:
    callers = Callers(tmp_path, docker)
    with callers.waiting("run", "cat", str(callers.state / "owner")) as run:
        shutil.rmtree(callers.state)  # as `down` does
    output, said = run.communicate()
    assert (run.returncode, output) == (0, f"{run.pid}\n"), said
    assert not callers.state.exists()


def test_the_engine_of_another_run_is_left_to_it(tmp_path: Path, docker: Path) -> None:
    callers = Callers(tmp_path, docker)
    with callers.waiting("run", "true") as run:
        pass
    _, said = run.communicate()
    assert run.returncode == 0, said
    assert callers.state.exists()


def test_down_waits_for_who_brings_one_up(tmp_path: Path, docker: Path) -> None:
    callers = Callers(tmp_path, docker)
    with callers.waiting("down") as down:
        assert callers.state.exists()
    _, said = down.communicate()
    assert down.returncode == 0, said
    assert not callers.state.exists()


def test_what_it_brought_up_is_taken_down_when_the_command_fails(tmp_path: Path, docker: Path) -> None:
    environment = os.environ | {
        "PATH": f"{docker}:{os.environ['PATH']}", "NRT_ENGINE_STATE": str(tmp_path / "state"),
        "NRT_REQUIRE_ENGINE": "1",
    }  # fmt: skip
    command = [SCRIPT, "run", "sh", "-c", f"test -e {tmp_path}/state/owner && exit 3"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 3, run.stderr
    assert not (tmp_path / "state").exists()

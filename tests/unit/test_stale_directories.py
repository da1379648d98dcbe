"""What an owner that was killed has left goes when the next one starts; what a live one has stays."""

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness.stack.directories import LOCUST, STACK, UNLOCKED_FOR_S, private_directory, remove_stale


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack's directory, with something in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    directory = tmp_path / f"{STACK}one"
    (directory / "feed").mkdir(parents=True)
    (directory / "feed" / "file").write_text("a file")
    return directory


def test_one_whose_lock_nobody_holds_goes(directory: Path) -> None:
    (directory / "lock").touch()
    remove_stale(STACK)
    assert not directory.exists()


def test_one_whose_lock_is_held_stays(directory: Path) -> None:
    with (directory / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_stale(STACK)
        assert (directory / "feed" / "file").exists()


def test_one_without_a_lock_goes_unless_it_was_just_made(directory: Path) -> None:
    remove_stale(STACK)
    assert directory.exists()
    before_s = time.time() - UNLOCKED_FOR_S - 1
    os.utime(directory, (before_s, before_s))
    remove_stale(STACK)
    assert not directory.exists()


def test_others_are_not_touched(directory: Path) -> None:
    other = directory.with_name("somebody-else")
    other.mkdir()
    os.utime(other, (0, 0))
    remove_stale(STACK)
    assert other.exists()


def test_one_in_use_outlives_the_start_of_others_and_goes_with_its_block(directory: Path) -> None:
    with private_directory(LOCUST) as mine:
        os.utime(mine, (0, 0))
        with private_directory(LOCUST) as another:
            assert mine.exists()
            assert another != mine
        assert not another.exists()
    assert not mine.exists()
    assert directory.exists(), "another kind's"


def test_one_whose_owner_is_killed_goes_when_the_next_is_made(directory: Path) -> None:
    killed = """
import os
from harness.stack.directories import LOCUST, private_directory
with private_directory(LOCUST) as directory:
    (directory / "files").mkdir()
    print(directory, flush=True)
    os.kill(os.getpid(), 9)
"""
    environment = os.environ | {"TMPDIR": str(directory.parent)}
    owner = subprocess.run([sys.executable, "-c", killed], env=environment, capture_output=True, text=True, check=False)
    left = Path(owner.stdout.strip())
    assert (left / "files").is_dir()
    with private_directory(LOCUST):
        assert not left.exists()

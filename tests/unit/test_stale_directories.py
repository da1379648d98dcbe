"""What a stack that was killed has left goes when the next one starts; what a live one has stays."""

import fcntl
import os
import tempfile
import time
from pathlib import Path

import pytest

from harness.stack.supervisor import DIRECTORY_PREFIX, UNLOCKED_FOR_S, remove_stale_directories


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack's directory, with something in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    directory = tmp_path / f"{DIRECTORY_PREFIX}one"
    (directory / "feed").mkdir(parents=True)
    (directory / "feed" / "file").write_text("a file")
    return directory


def test_one_whose_lock_nobody_holds_goes(directory: Path) -> None:
    (directory / "lock").touch()
    remove_stale_directories()
    assert not directory.exists()


def test_one_whose_lock_is_held_stays(directory: Path) -> None:
    with (directory / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_stale_directories()
        assert (directory / "feed" / "file").exists()


def test_one_without_a_lock_goes_unless_it_was_just_made(directory: Path) -> None:
    remove_stale_directories()
    assert directory.exists()
    before_s = time.time() - UNLOCKED_FOR_S - 1
    os.utime(directory, (before_s, before_s))
    remove_stale_directories()
    assert not directory.exists()


def test_others_are_not_touched(directory: Path) -> None:
    other = directory.with_name("somebody-else")
    other.mkdir()
    os.utime(other, (0, 0))
    remove_stale_directories()
    assert other.exists()

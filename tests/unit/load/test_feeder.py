"""How far ahead files are made, and what it takes to see that there is room."""

from collections.abc import Callable
from pathlib import Path

import pytest

from generators.dataset import Dataset
from harness.load import feeder
from harness.load.schedule import PlannedFile


def planned(count: int) -> list[PlannedFile]:
    return [PlannedFile(index, "orders", f"orders/{index}", index / 10, 1, f"f{index:04d}") for index in range(count)]


def fed(
    monkeypatch: pytest.MonkeyPatch, directory: Path, count: int, ahead: int, take: Callable[[list[Path]], Path]
) -> int:
    """Feeds so many files, one of which is taken at each wait for room; the looks at waiting files."""
    looks, most = 0, 0
    exists = Path.exists

    def look(path: Path) -> bool:
        nonlocal looks
        looks += not path.name.startswith(".")
        return exists(path)

    def wait(_seconds: float) -> None:
        nonlocal most
        waiting = sorted(directory.glob("f*"))
        most = max(most, len(waiting))
        take(waiting).unlink()

    monkeypatch.setattr(feeder, "content", lambda *_: b"x")
    monkeypatch.setattr(Path, "exists", look)
    monkeypatch.setattr(feeder.time, "sleep", wait)
    feeder.feed(planned(count), {"orders": object.__new__(Dataset)}, directory, 1, ahead)
    assert most == ahead
    return looks


def test_as_many_files_wait_as_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fed(monkeypatch, tmp_path, 50, 10, lambda waiting: waiting[0])
    assert len(list(tmp_path.glob("f*"))) == 10


def test_an_upload_that_takes_long_keeps_no_other_file_from_being_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fed(monkeypatch, tmp_path, 100, 10, lambda waiting: waiting[1])
    assert sorted(path.name for path in tmp_path.glob("f*"))[0] == "f0000"


def test_room_is_found_without_looking_at_every_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    looks = fed(monkeypatch, tmp_path, 1_200, 1_000, lambda waiting: waiting[0])
    assert looks <= 2 * 200 * feeder.LOOKED_AT_FILES

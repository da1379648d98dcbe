"""The directory between feeder and dispatcher: files that wait for their intended time.

The feeder puts whole files there (never half ones), the dispatcher takes and deletes them. For a file that was not
there in time the dispatcher leaves a mark, and the feeder, which may be behind, need not make it any more.
"""

from pathlib import Path

from harness.load.schedule import PlannedFile


def path_of(directory: Path, file: PlannedFile) -> Path:
    """Where a file waits."""
    return directory / file.file


def mark_of(directory: Path, file: PlannedFile) -> Path:
    """What says that a file was given up before it was there."""
    return directory / f".{file.file}.given-up"


def put(directory: Path, file: PlannedFile, data: bytes) -> None:
    """Have the file appear, whole."""
    partial = directory / f".{file.file}.partial"
    partial.write_bytes(data)
    partial.rename(path_of(directory, file))


def discard(directory: Path, file: PlannedFile) -> None:
    """Remove a file that is not wanted any more, or see to it that it is not made."""
    path = path_of(directory, file)
    if not path.exists():
        mark_of(directory, file).touch()
    path.unlink(missing_ok=True)  # it may have appeared meanwhile: the feeder looks for the mark afterwards

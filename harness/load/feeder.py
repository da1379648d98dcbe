"""The feeder: makes the files of a schedule ahead of their intended times, in a process of its own.

In: a schedule, the data sets, a seed. Out: whole files in the feed directory, and a line for each on standard output.
It keeps at most so many files waiting there; the dispatcher deletes each one after its upload. It knows no clock and
no store: the dispatcher tells it what came too late.

    python -m harness.load.feeder --schedule F --datasets datasets.json --directory D --seed N --ahead-files K

Events: {"event": "made", "index", "size_bytes", "records", "sha256", "at_s"}, {"event": "skipped", "index"} for a
file that the dispatcher gave up before it was made, and {"event": "finished", "made", "skipped"}.
"""

import argparse
import hashlib
import re
import signal
import sys
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from generators.dataset import Dataset
from generators.files import encode
from generators.records import make_table
from generators.replay import cut
from harness.errors import ExitCode, HarnessError, UsageError
from harness.load import feed_directory
from harness.load.events import emit
from harness.load.lifetime import end_with_parent, take_priority
from harness.load.schedule import PlannedFile, Share, parse_share, read_datasets, read_schedule

# How often a full feed directory is looked at. The files ahead cover far more than this.
ROOM_INTERVAL_S = 0.02
# How many of the oldest are looked at: uploads go nearly in the files' order, and thousands may wait.
LOOKED_AT_FILES = 64
# Before the system under test, behind the dispatcher.
NICENESS = -10
_PARTITION = re.compile(r"dt=(\d{4}-\d{2}-\d{2})/")
_DEFAULT_DAY = "2026-01-01"


class StopRequestedError(Exception):
    """The process was told to end."""


def due(file: PlannedFile) -> datetime:
    """The time the file's records speak of: the day its key names, plus its intended offset.

    Not the clock: the same schedule and seed give the same bytes whenever they are made.
    """
    partition = _PARTITION.search(file.key)
    day = datetime.fromisoformat(partition[1] if partition else _DEFAULT_DAY).replace(tzinfo=UTC)
    return day + timedelta(seconds=file.at_s)


def content(file: PlannedFile, dataset: Dataset, seed: int) -> bytes:
    """The bytes of one file: made records, or the real ones it names.

    Raises:
        ValueError: the records cannot be made or read; names what is wrong.
    """
    if file.source is None:
        table = make_table(dataset, seed=seed, file_index=file.index, records=file.records, at=due(file))
        return encode(table, dataset.format)
    path = Path(file.source.path)
    if file.source.rows is None:
        return path.read_bytes()
    return cut(path, dataset.format, file.source.first_row, file.source.rows)


def feed(files: list[PlannedFile], datasets: dict[str, Dataset], directory: Path, seed: int, ahead_files: int) -> None:
    """Make every file, in order, with at most `ahead_files` of them waiting in the directory.

    Raises:
        UsageError: a file cannot be made.
        StopRequestedError: the process was told to end.
    """
    waiting: deque[Path] = deque()
    made = skipped = 0
    for file in files:
        path, mark = feed_directory.path_of(directory, file), feed_directory.mark_of(directory, file)
        while len(waiting) >= ahead_files and not mark.exists():
            oldest = [waiting.popleft() for _ in range(min(LOOKED_AT_FILES, len(waiting)))]
            waiting.extendleft(other for other in reversed(oldest) if other.exists())
            if len(waiting) >= ahead_files:
                time.sleep(ROOM_INTERVAL_S)
        if not mark.exists():
            try:
                data = content(file, datasets[file.type], seed)
            except KeyError:
                raise UsageError(f"file {file.index}: there is no data set {file.type!r}") from None
            except (ValueError, OSError) as error:
                raise UsageError(f"file {file.index} ({file.key}): {error}") from error
            sha256 = hashlib.sha256(data).hexdigest()
            feed_directory.put(directory, file, data)
            emit("made", index=file.index, size_bytes=len(data), records=file.records, sha256=sha256, at_s=file.at_s)
            made += 1
            waiting.append(path)
        if mark.exists():  # looked at once more: the dispatcher may have given up while the file was being made
            path.unlink(missing_ok=True)
            mark.unlink()
            emit("skipped", index=file.index)
            skipped += 1
    emit("finished", made=made, skipped=skipped)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise StopRequestedError


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m harness.load.feeder", description="Make a schedule's files.")
    parser.add_argument("--schedule", type=Path, required=True)
    parser.add_argument("--datasets", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="where the files go; must be there")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--ahead-files", type=int, default=64, help="how many may wait there at a time")
    parser.add_argument("--share", type=parse_share, default=Share(), metavar="K/N", help="make each N-th file")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the feeder; returns the exit code."""
    end_with_parent()
    take_priority(NICENESS)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    options = _arguments(arguments)
    try:
        if options.ahead_files < 1 or options.seed < 0:
            raise UsageError("--ahead-files must be at least 1, --seed at least 0")
        if not options.directory.is_dir():
            raise UsageError(f"{options.directory}: no such directory")
        files = options.share.take(read_schedule(options.schedule))
        feed(files, read_datasets(options.datasets), options.directory, options.seed, options.ahead_files)
    except StopRequestedError:
        return ExitCode.PASS
    except HarnessError as error:
        print(f"feeder: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a full disk, most likely
        print(f"feeder: {error.filename or options.directory}: {error.strerror}", file=sys.stderr)
        return ExitCode.HARNESS_FAILED
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())

"""The plan of a run's uploads as it travels between processes: a schedule file and a description of the data sets.

In and out: frozen values and their JSON. The schedule is one JSON object a line, in the order of the intended times. It
knows nothing of pipelines, clocks or stores.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generators.dataset import Column, Dataset
from harness.errors import UsageError


@dataclass(frozen=True)
class PlannedSource:
    """Real records to send instead of made ones: a file, or `rows` of its records from `first_row` on.

    `rows` None is the whole file, sent as it is.
    """

    path: str
    first_row: int = 0
    rows: int | None = None


@dataclass(frozen=True)
class PlannedFile:
    """One file of a run: when it is due (`at_s`, seconds from the start), its S3 key, and what is in it.

    `file` is its name in the feed directory, where the feeder puts it and the dispatcher takes it from.
    """

    index: int
    type: str
    key: str
    at_s: float
    records: int
    file: str
    source: PlannedSource | None = None

    def __post_init__(self) -> None:
        if not self.file or Path(self.file).name != self.file or self.file.startswith("."):
            raise ValueError(f"file {self.index}: {self.file!r} is not a plain file name")


@dataclass(frozen=True)
class Share:
    """The part of a schedule that one of several processes takes: each `of`-th file, from number `number` on."""

    number: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of:
            raise ValueError(f"share {self.number}/{self.of}: the first number is 0 to {self.of - 1}")

    def take(self, files: Iterable[PlannedFile]) -> list[PlannedFile]:
        """The files of this share, in order."""
        return [file for file in files if file.index % self.of == self.number]


def parse_share(text: str) -> Share:
    """Read `K/N`.

    Raises:
        ValueError: it is not two numbers, the first below the second.
    """
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal()):
        raise ValueError(f"{text!r} is not K/N, such as 0/4")
    return Share(int(number), int(of))


def write_schedule(path: Path, files: Iterable[PlannedFile]) -> None:
    """Write a schedule, one JSON object a line."""
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(file), ensure_ascii=False) + "\n" for file in files)


def read_schedule(path: Path) -> list[PlannedFile]:
    """Read a schedule, ordered by intended time.

    Raises:
        UsageError: it cannot be read; names file and line.
    """
    return sorted(_planned_files(path), key=lambda file: (file.at_s, file.index))


def _planned_files(path: Path) -> Iterator[PlannedFile]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        try:
            raw = json.loads(line)
            source = raw.pop("source", None)
            yield PlannedFile(**raw, source=PlannedSource(**source) if source else None)
        except (ValueError, TypeError, AttributeError) as error:
            raise UsageError(f"{path}:{number}: not a planned file: {error}") from error


def write_datasets(path: Path, datasets: Iterable[Dataset]) -> None:
    """Write the description of data sets that `read_datasets` reads."""
    path.write_text(json.dumps([asdict(dataset) for dataset in datasets], ensure_ascii=False), encoding="utf-8")


def read_datasets(path: Path) -> dict[str, Dataset]:
    """Read data sets, by name.

    Raises:
        UsageError: they cannot be read; names the file.
    """
    try:
        return {dataset.name: dataset for dataset in map(_dataset, json.loads(path.read_text(encoding="utf-8")))}
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}: not a description of data sets: {error}") from error


def _dataset(raw: dict[str, Any]) -> Dataset:
    columns = tuple(
        Column(**{**column, "values": tuple(column["values"]) if column["values"] is not None else None})
        for column in raw["columns"]
    )
    return Dataset(raw["name"], columns, tuple(raw["key"]), raw["version"], raw["format"])

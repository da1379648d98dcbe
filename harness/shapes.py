"""What a scenario makes of a plain schedule: poison files, versions out of order, other partitions, other shares.

In: planned files. Out: the same files, some of them with another key or with bytes made beforehand. A shape is a value
and its work is pure but for the files it writes: the same seed gives the same bytes.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path

from generators import unusual
from generators.files import encode
from generators.poison import kinds_for, poison
from generators.records import make_table
from harness.load.feeder import due
from harness.load.schedule import PlannedFile, PlannedSource
from harness.pipeline import Pipeline

# A newer version of a record is that much newer: more than the minute over which a file's versions spread.
NEWER_BY = timedelta(hours=1)
NAMED_UNUSUALLY = "name"


@dataclass(frozen=True)
class Workshop:
    """What a shape works with: `directory` takes the files that it makes."""

    pipeline: Pipeline
    seed: int
    directory: Path

    def write(self, file: PlannedFile, data: bytes) -> PlannedFile:
        """The file with these bytes instead of made ones."""
        self.directory.mkdir(exist_ok=True)
        path = (self.directory / file.file).resolve()
        path.write_bytes(data)
        return replace(file, source=PlannedSource(str(path)))


@dataclass(frozen=True)
class Shaped:
    """A schedule; `rejects` are the numbers of the files that must end on their dead letter queue."""

    files: tuple[PlannedFile, ...]
    rejects: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Poisoned:
    """Every `every`-th file of a type cannot be loaded; the kinds take turns."""

    every: int

    def apply(self, shaped: Shaped, workshop: Workshop) -> Shaped:
        kinds = {name: cycle(kinds_for(settings.format)) for name, settings in workshop.pipeline.types.items()}
        seen: dict[str, int] = defaultdict(int)
        files, rejects = [], set(shaped.rejects)
        for file in shaped.files:
            seen[file.type] += 1
            if seen[file.type] % self.every == 0:
                dataset, kind = workshop.pipeline.dataset(file.type), next(kinds[file.type])
                table = make_table(
                    dataset, seed=workshop.seed, file_index=file.index, records=file.records, at=due(file)
                )
                named = replace(file, key=f"{file.key.rpartition('/')[0]}/{kind}-{file.file}")
                files.append(workshop.write(named, poison(kind, table, dataset)))
                rejects.add(file.index)
            else:
                files.append(file)
        return Shaped(tuple(files), frozenset(rejects))


@dataclass(frozen=True)
class Versions:
    """The first half of each type's files and the second speak of the same records; every other pair comes with the
    newer version first."""

    def apply(self, shaped: Shaped, workshop: Workshop) -> Shaped:
        files = {file.index: file for file in shaped.files}
        for name in workshop.pipeline.types:
            indexes = [file.index for file in shaped.files if file.type == name]
            half = len(indexes) // 2
            for number, (first, second) in enumerate(zip(indexes[:half], indexes[half:], strict=False)):
                newer, older = (first, second) if number % 2 == 0 else (second, first)
                files[newer] = self._newer(files[newer], files[older], workshop)
        return replace(shaped, files=tuple(files.values()))

    def _newer(self, file: PlannedFile, older: PlannedFile, workshop: Workshop) -> PlannedFile:
        dataset = workshop.pipeline.dataset(file.type)
        table = make_table(
            dataset, seed=workshop.seed + 1, file_index=older.index, records=file.records,
            at=max(due(file), due(older)) + NEWER_BY,
        )  # fmt: skip
        return workshop.write(file, encode(table, dataset.format))


@dataclass(frozen=True)
class Backdated:
    """Every `every`-th file belongs to the partition of an earlier day, one after the other of `days` days back."""

    every: int
    days: int

    def apply(self, shaped: Shaped, workshop: Workshop) -> Shaped:  # noqa: ARG002 - as every shape
        return replace(shaped, files=tuple(self._backdated(file) for file in shaped.files))

    def _backdated(self, file: PlannedFile) -> PlannedFile:
        if file.index % self.every:
            return file
        prefix, _, rest = file.key.partition("dt=")
        day, _, name = rest.partition("/")
        back = timedelta(days=1 + file.index // self.every % self.days)
        return replace(file, key=f"{prefix}dt={(date.fromisoformat(day) - back).isoformat()}/{name}")


@dataclass(frozen=True)
class Unusual:
    """Every file is right, but each in a way of its own: a name with blanks, plus signs and letters that a URL encodes,
    columns in another order, two gzip members, several row groups; the ways take turns within a type."""

    def apply(self, shaped: Shaped, workshop: Workshop) -> Shaped:
        kinds = {
            name: cycle((NAMED_UNUSUALLY, *unusual.kinds_for(settings.format)))
            for name, settings in workshop.pipeline.types.items()
        }
        return replace(
            shaped, files=tuple(self._changed(file, next(kinds[file.type]), workshop) for file in shaped.files)
        )

    def _changed(self, file: PlannedFile, kind: str, workshop: Workshop) -> PlannedFile:
        folder = file.key.rpartition("/")[0]
        if kind == NAMED_UNUSUALLY:
            return replace(file, key=f"{folder}/Łódź 50% + more {file.file}")
        dataset = workshop.pipeline.dataset(file.type)
        table = make_table(dataset, seed=workshop.seed, file_index=file.index, records=file.records, at=due(file))
        named = replace(file, key=f"{folder}/{kind}-{file.file}")
        return workshop.write(named, unusual.unusual(kind, table, dataset))

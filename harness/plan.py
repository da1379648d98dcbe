"""From a scenario to a schedule: which file is due when, under which key.

In: scenario, pipeline, seed, and perhaps a directory of real files. Out: `PlannedFile`s in the order of their times. It
is pure but for reading the directory that is to be replayed: the same arguments give the same plan on any day.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar

from generators.arrivals import constant
from generators.files import extension
from generators.replay import Source, scan
from harness.errors import UsageError
from harness.load.schedule import PlannedFile, PlannedSource
from harness.pipeline import Pipeline
from harness.scenario import Scenario

# Keys and records carry this day, not today's: the same seed is to give the same bytes whenever it runs.
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
REPLAY_MAX_S = 7 * 86_400.0
FILES_MAX = 1_000_000
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Replay:
    """Real files to send: `directory/<type>/**`, cut to `records_per_file` when that is given."""

    directory: Path
    records_per_file: int | None = None
    order: Literal["in_order", "resampled"] = "in_order"


def with_overrides(
    scenario: Scenario, rate_per_min: float | None, duration_s: float | None, records_per_file: int | None
) -> Scenario:
    """The scenario with what the user asked for on the command line in place of its own."""
    workload = scenario.workload
    if rate_per_min is not None:
        workload = replace(workload, arrivals=constant(rate_per_min))
    if records_per_file is not None:
        workload = replace(workload, records_per_file=records_per_file)
    return replace(scenario, workload=workload, duration_s=duration_s or scenario.duration_s)


def mixed_types(pipeline: Pipeline, skewed_to_first: float = 1.0) -> Iterator[str]:
    """The types in turn, each as often as its share says, spread as evenly as can be."""
    shares = {name: settings.share for name, settings in pipeline.types.items()}
    shares[next(iter(shares))] *= skewed_to_first
    total, credit = sum(shares.values()), dict.fromkeys(shares, 0.0)
    while True:
        for name, share in shares.items():
            credit[name] += share
        chosen = max(credit, key=lambda name: credit[name])
        credit[chosen] -= total
        yield chosen


def _file(
    pipeline: Pipeline, index: int, type_name: str, at_s: float, records: int, source: Source | None
) -> PlannedFile:
    settings = pipeline.types[type_name]
    day = (FIRST_DAY + timedelta(seconds=at_s)).date().isoformat()
    name = f"{type_name}-{index:06d}{extension(settings.format)}"
    planned_source = PlannedSource(str(source.path.resolve()), source.first_row, source.rows) if source else None
    return PlannedFile(index, type_name, f"{settings.prefix}dt={day}/{name}", at_s, records, name, planned_source)


def plan(scenario: Scenario, pipeline: Pipeline, seed: int, replay: Replay | None, *, whole: bool) -> list[PlannedFile]:
    """The schedule of a run; `whole` sends every file of an in-order replay, however long that takes.

    Raises:
        UsageError: the files to replay cannot be used, or the plan is empty or beyond bounds.
    """
    arrivals = scenario.workload.arrivals
    if replay is None:
        records = scenario.workload.records_per_file or pipeline.records_per_file
        times = zip(
            arrivals.times(scenario.duration_s),
            mixed_types(pipeline, scenario.workload.skewed_to_first),
            strict=False,
        )
        files = [
            _file(pipeline, index, type_name, at_s, records, None)
            for index, (at_s, type_name) in _bounded(enumerate(times))
        ]
    else:
        duration_s = REPLAY_MAX_S if whole and replay.order == "in_order" else scenario.duration_s
        datasets = {name: pipeline.dataset(name) for name in pipeline.types}
        try:
            sources = scan(replay.directory, datasets, replay.records_per_file, replay.order, seed)
            pairs = zip(arrivals.times(duration_s), sources, strict=False)
            files = [
                _file(pipeline, index, source.type, at_s, source.records, source)
                for index, (at_s, source) in _bounded(enumerate(pairs))
            ]
        except ValueError as error:
            raise UsageError(f"--replay: {error}") from error
    if not files:
        raise UsageError(f"{scenario.name}: no file is due within {scenario.duration_s:g} s")
    return files


def _bounded(items: Iterator[tuple[int, _Item]]) -> Iterator[tuple[int, _Item]]:
    for index, item in items:
        if index >= FILES_MAX:
            raise UsageError(f"more than {FILES_MAX:,} files: lower the rate or the duration")
        yield index, item

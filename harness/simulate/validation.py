"""How far the model is off: predicted against measured end-to-end percentiles, on files it did not learn from.

In: a calibrating run, and runs that were held out. Out: an `Error` each. Without a held-out run the calibrating run's
second half is predicted from its first, which says less: the rate is the same.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import queries
from harness.errors import UsageError
from harness.history import History, fold
from harness.ledger import read
from harness.run_directory import RunDirectory, RunFacts
from harness.simulate.calibration import Calibration, calibrate
from harness.simulate.model import Arrival, Settings, simulate
from harness.statistics import percentile

ERROR_MAX = 0.15
RANKS = (50, 95, 99)


@dataclass(frozen=True)
class StoredRun:
    """A run as it lies in its directory."""

    path: Path
    facts: RunFacts
    history: History

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def rate_per_min(self) -> float:
        return self.facts.files_scheduled / self.facts.duration_s * 60

    @property
    def records_per_file(self) -> float:
        return self.facts.records_scheduled / self.facts.files_scheduled

    def calibration(self, before_s: float | None = None) -> Calibration:
        """What it has shown; see `calibrate`."""
        return calibrate(self.history, queries.read(self.path), int(self.facts.machine["cpus"]), before_s)


def load(directory: RunDirectory) -> StoredRun:
    """Read a run.

    Raises:
        UsageError: it is not a run's directory.
    """
    return StoredRun(directory.path, directory.read_facts(), fold(read(directory.ledger).events))


@dataclass(frozen=True)
class Error:
    """Seconds by percentile, and by how much of the measured the predicted is off: 0.1 is 10 % too much."""

    against: str
    rate_per_min: float
    held_out: bool
    measured_s: dict[str, float]
    predicted_s: dict[str, float]
    error: dict[str, float]

    @property
    def worst(self) -> float:
        return max(abs(value) for value in self.error.values())

    def to_json(self) -> dict[str, Any]:
        """As it stands in the command's JSON."""
        return asdict(self) | {"worst": self.worst, "within": self.worst <= ERROR_MAX}


def percentiles(latencies_s: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in seconds.

    Raises:
        ValueError: there is nothing to rank.
    """
    return {f"p{rank}": round(percentile(latencies_s, rank), 3) for rank in RANKS}


def settings_of(run: StoredRun) -> Settings:
    """The settings that a run had, as far as it kept them: the largest batches and the least room of its types."""
    kept = run.history.functions.values()
    most = [one["maximum_concurrency"] for one in kept if one.get("maximum_concurrency") is not None]
    return Settings(
        merge_every_s=run.facts.merge_every_s,
        batch_size=max((one.get("batch_size", 1) for one in kept), default=1),
        batch_window_s=float(max((one.get("batch_window_s", 0) for one in kept), default=0)),
        maximum_concurrency=min(most, default=None),
    )


def _compare(calibration: Calibration, run: StoredRun, from_s: float, *, held_out: bool) -> Error:
    known = {times.name for times in calibration.types}
    files = [file for file in run.history.files.values() if file.type in known]
    outcome = simulate(calibration, settings_of(run), [Arrival(file.type, file.at_s) for file in files])
    pairs = [
        (file.end_to_end_s, predicted_s)
        for file, predicted_s in zip(files, outcome.latencies_s, strict=True)
        if file.end_to_end_s is not None and predicted_s is not None and file.at_s >= from_s
    ]
    if not pairs:
        raise UsageError(f"{run.name}: no file of it was merged, so nothing can be compared with it")
    measured_s = percentiles([measured for measured, _ in pairs])
    predicted_s = percentiles([predicted for _, predicted in pairs])
    error = {name: round(predicted_s[name] / measured_s[name] - 1, 3) for name in measured_s}
    return Error(run.name, round(run.rate_per_min, 1), held_out, measured_s, predicted_s, error)


def validate(run: StoredRun, held_out: Sequence[StoredRun]) -> tuple[Error, ...]:
    """Predict each held-out run; its own second half where there is none.

    Raises:
        UsageError: a run has too little in it.
    """
    if held_out:
        calibration = run.calibration()
        return tuple(_compare(calibration, other, 0.0, held_out=True) for other in held_out)
    half_s = run.facts.duration_s / 2
    return (_compare(run.calibration(half_s), run, half_s, held_out=False),)


def others(run: StoredRun) -> list[StoredRun]:
    """Runs beside this one to hold out: the same pipeline, types and file size, no faults, drained, another rate."""
    found = []
    for path in sorted(run.path.resolve().parent.iterdir()):
        if path == run.path.resolve() or not (path / "run.json").is_file():
            continue
        other = load(RunDirectory(path))
        same = (other.facts.pipeline, other.facts.types) == (run.facts.pipeline, run.facts.types)
        usual = other.history.finished and not other.history.faults_planned and bool(other.history.drained)
        alike = abs(other.records_per_file / run.records_per_file - 1) < 0.1
        if same and usual and alike and abs(other.rate_per_min / run.rate_per_min - 1) > 0.1:
            found.append(other)
    return found

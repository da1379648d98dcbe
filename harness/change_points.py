"""A second look at a history, by apache-otava: the change points it finds in each metric.

In: the lines of a history. Out: an `Opinion`, whose changes `harness trend` shows beside its own. It runs in an
environment of its own (`make setup-otava`), for it pins another numpy, and is asked through its command line: CSV files
in, JSON out. It never judges alone: it exits with 0 whatever it finds, also when it cannot read a file; it sees no
single run that counts a loss; and its p-values know nothing of how many metrics are looked at.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.compare.decide import MATTERS
from harness.compare.measure import METRICS
from harness.trend import Change, measured_in

OTAVA = Path(sys.prefix).parent / ".venv-otava" / "bin" / "otava"
TIMEOUT_S = 120
# Otava leaves out what is older than a year, and more than so many points, unless told otherwise.
WHOLE = ("--since", "1971-01-01", "--until", "2200-01-01", "--last", "1000000")


@dataclass(frozen=True)
class Point:
    """The values of a series from number `at` on (the first is 0) have another mean than those before."""

    at: int
    before: float
    after: float


@dataclass(frozen=True)
class Opinion:
    """What otava says of a history; with `why_not`, the reason why it said nothing that can be relied on."""

    changes: tuple[Change, ...] = ()
    why_not: str | None = None


class OtavaError(Exception):
    """Otava did not look at every series; the message says what it said instead."""


def opinion(lines: Sequence[dict[str, Any]]) -> Opinion:
    """Otava's changes in a history of one scenario that matter by `harness compare`'s measure, in the order of time."""
    if not OTAVA.exists():
        return Opinion(why_not="apache-otava is not set up: `make setup-otava` makes its environment")
    try:
        return Opinion(changes(lines, points(series(lines), OTAVA)))
    except OtavaError as error:
        return Opinion(why_not=f"apache-otava did not look at the whole history: {error}")


def series(lines: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """The values of each metric, of the runs that measured it."""
    of = {metric.name: [float(one["metrics"][metric.name]) for one in measured_in(metric, lines)] for metric in METRICS}
    return {name: values for name, values in of.items() if values}


def changes(lines: Sequence[dict[str, Any]], found: Mapping[str, Sequence[Point]]) -> tuple[Change, ...]:
    """The points found in a history's `series` as changes since a run, without those too small to matter to anyone."""
    told = []
    for metric in METRICS:
        for point in found.get(metric.name, ()):
            if abs(point.after - point.before) < metric.floor:
                continue
            since = measured_in(metric, lines)[point.at]
            ratio = point.after / point.before if point.before else None
            detail = "" if ratio is None else f"{ratio - 1:+.0%} "
            detail += f"({point.before:,.4g} → {point.after:,.4g} {metric.unit})"
            worse = (point.after > point.before) != metric.higher_is_better
            told.append(Change(metric.name, since["run"], since["started_at"], worse, detail, ratio, judge="otava"))
    return tuple(sorted(told, key=lambda one: (one.started_at, one.name)))


def points(values: Mapping[str, Sequence[float]], otava: Path = OTAVA) -> dict[str, list[Point]]:
    """The change points of each series, of at least the change that matters (a tenth).

    Raises:
        OtavaError: it failed, or there is a series of which it said nothing.
    """
    if not values:
        return {}
    # a series is a test of its own, for each is measured in other runs; its name may be anything, so it is numbered
    names = {f"series-{number}": name for number, name in enumerate(values)}
    with tempfile.TemporaryDirectory(prefix="nrt-otava-") as directory:
        for test, name in names.items():
            _write(Path(directory, f"{test}.csv"), values[name])
        tests = {
            test: {"type": "csv", "file": f"{test}.csv", "time_column": "time", "attributes": [], "metrics": ["value"]}
            for test in names
        }
        Path(directory, "otava.yaml").write_text(json.dumps({"tests": tests}))  # JSON is YAML, too
        said = _ask(otava, Path(directory), list(names))
    return {name: said[test] for test, name in names.items()}


def _write(path: Path, numbers: Sequence[float]) -> None:
    """The series with made-up times, one a second: otava only needs them to be in order."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "value"))
        rows.writerows(
            (f"2000-01-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z", v) for n, v in enumerate(numbers)
        )


def _ask(otava: Path, directory: Path, tests: list[str]) -> dict[str, list[Point]]:
    command = [str(otava), "analyze", *tests, "--config-file", "otava.yaml", *WHOLE, "--magnitude", str(MATTERS)]
    # none of the user's own settings of otava: they could send what it finds somewhere
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory), "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            [*command, "--output", "json"], cwd=directory, env=environment, capture_output=True, text=True,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OtavaError(str(error)) from error
    said: dict[str, list[Point]] = {}
    for line in done.stdout.splitlines():
        try:
            answer = json.loads(line)
            for test, groups in answer.items():
                said[test] = [_point(change) for group in groups for change in group["changes"]]
        except (json.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise OtavaError(f"it said {line!r}") from error
    if done.returncode or set(said) != set(tests):
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise OtavaError(f"exit code {done.returncode}, {len(said)} of {len(tests)} series, and it said {last!r}")
    return said


def _point(change: dict[str, Any]) -> Point:
    return Point(int(change["index"]), float(change["mean_before"]), float(change["mean_after"]))

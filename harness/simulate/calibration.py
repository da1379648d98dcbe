"""What a run has shown of each part's times, separated from the waiting for one another that the model makes itself.

In: a run's history and its query log. Out: a `Calibration`. Nothing is assumed that the run could show; what it could
not (a run without a merge, say) is an error, not a guess.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import numpy as np

from harness.errors import UsageError
from harness.history import FileHistory, History

FEWEST_FILES = 20
# A line is fitted through merges only when the largest had that many times the rows of the smallest.
ROWS_SPREAD = 2.0
_TABLE = re.compile(r"^\s*(?:COPY|DELETE\s+FROM)\s+([\w.\"]+)", re.IGNORECASE)


@dataclass(frozen=True)
class TypeTimes:
    """One type's times in seconds, as if the machine did nothing else.

    `rest_s` is a file's time in the function but for its COPY, `hold_s` how long its COPY held the table's lock. A
    merge takes `merge_fixed_s` and `merge_row_s` a row.
    """

    name: str
    share: float
    rest_s: tuple[float, ...]
    hold_s: tuple[float, ...]
    merge_fixed_s: float
    merge_row_s: float


@dataclass(frozen=True)
class Calibration:
    """`slowdown` is by how much one more invocation at the same time lengthens each, as a share.

    `merge_lock_share` is the last part of a merge, in which it holds the stage table's lock. `warm` is how many
    environments each type had before its first file: S3's test event starts one.
    """

    types: tuple[TypeTimes, ...]
    delivery_s: tuple[float, ...]
    cold_s: tuple[float, ...]
    slowdown: float
    merge_lock_share: float
    rows_per_file: float
    files: int
    warm: int = 0


def calibrate(
    history: History, queries: Iterable[dict[str, Any]], cpus: int, before_s: float | None = None
) -> Calibration:
    """Take the times out of a run on `cpus` cores; `before_s` (from its start) leaves later files out, to be predicted.

    Raises:
        UsageError: the run has too little to learn from; says what.
    """
    start_s = history.start_at_s or 0.0
    end_s = start_s + before_s if before_s is not None else float("inf")
    files = [file for file in history.files.values() if file.success and file.sent_s and file.success.end_s <= end_s]
    if len(files) < FEWEST_FILES:
        raise UsageError(f"the run has {len(files)} loaded files to learn from; the model needs {FEWEST_FILES}")
    statements = list(queries)
    busy = _Busy(history)
    slowdown = _slowdown(files, busy, cpus)
    copies = _copies(files, statements)
    types, delivery = [], [file.sent_s - file.intended_s for file in files if file.sent_s and file.intended_s]
    for name in sorted({file.type for file in files}):
        own = [file for file in files if file.type == name]
        warm = [file for file in own if file.success and not file.success.cold] or own
        rest, hold = _separated(warm, copies, slowdown, busy)
        fixed_s, row_s = _merge_fit(history, name, end_s)
        types.append(TypeTimes(name, len(own) / len(files), tuple(rest), tuple(hold), fixed_s, row_s))
    return Calibration(
        types=tuple(types),
        delivery_s=tuple(max(0.0, seconds) for seconds in delivery),
        cold_s=_cold_extra(history, files),
        slowdown=slowdown,
        merge_lock_share=_merge_lock_share(history, statements),
        rows_per_file=float(np.mean([file.records for file in files])),
        files=len(files),
        warm=_warm(history, len(types)),
    )


class _Busy:
    """How many invocations were running at a moment."""

    def __init__(self, history: History) -> None:
        self._starts = sorted(event["start_s"] for event in history.invocations)
        self._ends = sorted(event["end_s"] for event in history.invocations)

    def others_at(self, at_s: float) -> int:
        """But for the one that starts just then."""
        return max(0, bisect_right(self._starts, at_s) - bisect_right(self._ends, at_s) - 1)


def _duration_s(file: FileHistory) -> float:
    assert file.success is not None  # those without are left out before
    batch = sum(attempt.request_id == file.success.request_id for attempt in file.attempts)
    return (file.success.end_s - file.success.start_s) / max(1, batch)


def _slowdown(files: list[FileHistory], busy: _Busy, cpus: int) -> float:
    """The slope of a line through warm durations (each over its type's median) against what ran at the same time.

    At most what sharing the cores makes of work that is nothing but computing; what looks worse is somebody else's.
    """
    warm = [file for file in files if file.success and not file.success.cold]
    medians = {
        name: median(_duration_s(file) for file in warm if file.type == name) for name in {file.type for file in warm}
    }
    others = np.array([busy.others_at(file.success.start_s) for file in warm if file.success], dtype=float)
    relative = np.array([_duration_s(file) / medians[file.type] for file in warm])
    if len(others) < FEWEST_FILES or np.ptp(others) == 0:
        return 0.0
    slope, intercept = np.polyfit(others, relative, 1)
    return float(min(1 / cpus, max(0.0, slope / intercept))) if intercept > 0 else 1 / cpus


def _table_of(statement: dict[str, Any]) -> str:
    found = _TABLE.match(statement.get("sql", ""))
    return found[1].replace('"', "").lower() if found else ""


def _copies(files: list[FileHistory], statements: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """By file: how long its COPY took in all, and how long of that it held the lock.

    COPYs into a table come one after the other, and a file's commit follows its COPY at once: in the order of their
    ends they are the files in the order of their commits.
    """
    by_table: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for statement in statements:
        if statement.get("kind") == "COPY" and not statement.get("error"):
            by_table[_table_of(statement)].append((statement["end_s"], statement["at_s"]))
    committed: dict[str, list[FileHistory]] = defaultdict(list)
    for file in files:
        if file.committed_s is not None:
            committed[file.type].append(file)
    found: dict[str, tuple[float, float]] = {}
    for name, own in committed.items():
        own.sort(key=lambda file: file.committed_s or 0.0)
        table = next((table for table in by_table if table.rpartition(".")[2] == name), None)
        copies = sorted(by_table[table]) if table else []
        previous_s = 0.0
        for end_s, at_s in copies:
            index = bisect_right([file.committed_s or 0.0 for file in own], end_s)
            if index < len(own) and own[index].key not in found:
                found[own[index].key] = (end_s - at_s, end_s - max(at_s, previous_s))
            previous_s = end_s
    return found


def _separated(
    files: list[FileHistory], copies: dict[str, tuple[float, float]], slowdown: float, busy: _Busy
) -> tuple[list[float], list[float]]:
    rest, hold = [], []
    for file in files:
        assert file.success is not None  # those without are left out before
        factor = 1 + slowdown * busy.others_at(file.success.start_s)
        copy_s, held_s = copies.get(file.key, (0.0, 0.0))
        rest.append(max(0.0, _duration_s(file) - copy_s) / factor)
        hold.append(held_s / factor)
    return rest, hold


def _merge_fit(history: History, name: str, end_s: float) -> tuple[float, float]:
    """A line through a type's merges: seconds against rows that left the stage table.

    Raises:
        UsageError: the type was never merged.
    """
    rows, seconds = [], []
    for merge in history.merges:
        for entry in merge.types:
            if entry["type"] == name and entry["committed_s"] is not None and entry["committed_s"] <= end_s:
                deleted = [row["rows"] for row in entry["rows"] if row["statement"].upper().startswith("DELETE")]
                rows.append(float(deleted[-1] if deleted else max((row["rows"] for row in entry["rows"]), default=0)))
                seconds.append(entry["committed_s"] - entry["started_s"])
    if not any(rows):
        raise UsageError(f"the run has no merge of {name} to learn from: let it run over more merge intervals")
    fixed_s = _fixed_s(np.array(rows), np.array(seconds))
    working = [(row, second) for row, second in zip(rows, seconds, strict=True) if row]
    row_s = (fmean(second for _, second in working) - fixed_s) / fmean(row for row, _ in working)
    return fixed_s, max(0.0, row_s)


def _fixed_s(rows: "np.typing.NDArray[np.float64]", seconds: "np.typing.NDArray[np.float64]") -> float:
    """What a merge takes whatever its rows: the merges without any tell, or else a line where rows differ enough."""
    if (empty := seconds[rows == 0]).size:
        return float(np.median(empty))
    if rows.max() < ROWS_SPREAD * rows.min():
        return 0.0
    slope, intercept = np.polyfit(rows, seconds, 1)
    return float(max(0.0, intercept)) if slope > 0 else 0.0


def _merge_lock_share(history: History, statements: list[dict[str, Any]]) -> float:
    deletes = [(one["at_s"], one["end_s"]) for one in statements if one.get("kind") == "DELETE"]
    shares = [
        (entry["committed_s"] - at_s) / (entry["committed_s"] - entry["started_s"])
        for merge in history.merges
        for entry in merge.types
        if entry["committed_s"] is not None
        for at_s, _ in deletes
        if entry["started_s"] <= at_s <= entry["committed_s"]
    ]
    return float(median(shares)) if shares else 0.0


def _warm(history: History, types: int) -> int:
    before = {
        event.get("environment_id")
        for event in history.invocations
        if not any(message.get("keys") for message in event["messages"])
    }
    return round(len(before) / max(1, types))


def _cold_extra(history: History, files: list[FileHistory]) -> tuple[float, ...]:
    """Seconds that a cold start added: the init phase, and what the first invocation took beyond a warm one."""
    warm = [_duration_s(file) for file in files if file.success and not file.success.cold]
    usual_s = median(warm) if warm else 0.0
    return tuple(
        (event["init_ms"] or 0.0) / 1000 + max(0.0, event["end_s"] - event["start_s"] - usual_s)
        for event in history.invocations
        if event["cold"] and event["status"] == "ok"
    )

"""The figures of the Pipeline tab, and the latencies that Locust counts as requests.

In: a run's events and history. Out: plain values for JSON. It runs beside the harness, not in Locust's process.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from harness import sql
from harness.errors import HarnessError
from harness.history import FileHistory, History, MergeRun
from harness.ledger import Event
from harness.pipeline import Pipeline
from harness.report.live_page import phase
from harness.run_directory import RunFacts
from harness.stack.endpoints import Endpoints

# Counting the rows of large tables takes a while: at most a twentieth of the time.
REST_PER_WORK = 20.0
COUNT_EVERY_S = 1.0
LISTED_MAX = 10
_SHOWN_AFTER = {"sample", "merge_run", "merged", "dead_letter", "load_started", "drained", "problem", "accounted_type"}


@dataclass(frozen=True)
class Latency:
    """One file that got somewhere; `ms` counts from its intended time."""

    stage: str
    type: str
    ms: float


@dataclass
class Latencies:
    """Finds what each event says of files that are staged, or available in the final table, for the first time."""

    _staged: set[int] = field(default_factory=set)

    def new(self, event: Event, history: History) -> list[Latency]:
        """The latencies that became known with this event, which the history has taken in."""
        match event["event"]:
            case "invocation":
                keys = {key for message in event["messages"] for key in message["keys"]}
                files = [file for key in keys if (file := history.files.get(key)) and file.success]
                fresh = [file for file in files if file.index not in self._staged]
                self._staged.update(file.index for file in fresh)
                return [_since_intended("staged", file, _staged_s(file)) for file in fresh]
            case "merged":
                files = [file for key in event["keys"] if (file := history.files.get(key))]
                # a file is merged once: the history keeps the first time
                return [
                    _since_intended("available", file, file.merged_s)
                    for file in files
                    if file.merged_s == event["committed_s"]
                ]
        return []


def _staged_s(file: FileHistory) -> float | None:
    return file.committed_s or (file.success.end_s if file.success else None)


def _since_intended(stage: str, file: FileHistory, at_s: float | None) -> Latency:
    assert at_s is not None  # it is there: that is the event
    assert file.intended_s is not None  # nothing is staged before the load began
    return Latency(stage, file.type, round((at_s - file.intended_s) * 1000, 1))


@dataclass
class Panel:
    """Keeps the figures up to date while a run goes on, and hands them on when something changed."""

    facts: RunFacts
    pipeline: Pipeline
    endpoints: Endpoints
    _history: History | None = None
    _final_rows: dict[str, int] = field(default_factory=dict)
    _changed: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _counted: threading.Event = field(default_factory=threading.Event)

    def note(self, event: Event, history: History) -> None:
        """Take note that something happened."""
        self._history = history
        if event["event"] in _SHOWN_AFTER:
            self._changed.set()

    @contextmanager
    def shown(self, show: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Show the figures whenever they change, until the end of the block, and once more then."""
        counter = threading.Thread(target=self._keep_counting, name="count-final-rows", daemon=True)
        shower = threading.Thread(target=self._keep_showing, args=(show,), name="show-panel", daemon=True)
        counter.start()
        shower.start()
        try:
            yield
        finally:
            self._ended.set()
            counter.join()
            self._counted.set()
            self._changed.set()
            shower.join()

    def _keep_showing(self, show: Callable[[dict[str, Any]], None]) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            ended = self._counted.is_set()
            if self._history is not None:
                show(figures(self._history, self.facts, dict(self._final_rows), time.time()))
            if ended:
                return

    def _keep_counting(self) -> None:
        counted_merges, rest_s, ended = 0, 0.0, False
        while not ended:
            ended = self._ended.wait(max(COUNT_EVERY_S, rest_s))
            merges = len(self._history.merges) if self._history else 0
            if merges == counted_merges:
                continue
            began_s = time.monotonic()
            try:
                self._final_rows = self._count()
            except HarnessError:
                continue  # the warehouse is away, which may be what the scenario is about
            counted_merges, rest_s = merges, REST_PER_WORK * (time.monotonic() - began_s)
            self._changed.set()

    def _count(self) -> dict[str, int]:
        import psycopg2

        counts = {}
        try:
            with sql.backend(self.endpoints, "nrt-panel") as connection, connection.cursor() as cursor:
                for name, settings in self.pipeline.types.items():
                    cursor.execute(f"SELECT count(*) FROM {settings.final_table}")
                    row = cursor.fetchone()
                    counts[name] = int(row[0]) if row else 0
        except psycopg2.Error as error:
            raise HarnessError(f"counting rows: {error}") from error
        return counts


def figures(history: History, facts: RunFacts, final_rows: dict[str, int], now_s: float) -> dict[str, Any]:
    """What the tab shows: a row for each type and one for all, the last merge runs, the last dead letters."""
    sample = history.samples[-1] if history.samples else {"queues": {}, "stage_rows": {}}
    files = list(history.files.values())
    rows = [
        _row(name, [file for file in files if file.type == name], sample, final_rows, history, now_s)
        for name in facts.types
    ]
    return {
        "phase": phase(history),
        "rows": [*rows, _all(rows, len(history.merges))],
        "merges": [_merge(run) for run in history.merges[-LISTED_MAX:]][::-1],
        "dead_letters": [
            {"type": letter["type"], "keys": letter["keys"], "reason": letter["reason"]}
            for letter in history.dead_letters[-LISTED_MAX:][::-1]
        ],
        "problems": history.problems[-LISTED_MAX:],
    }


def _row(
    name: str, files: list[FileHistory], sample: Event, final_rows: dict[str, int], history: History, now_s: float
) -> dict[str, Any]:
    queue = sample["queues"].get(name, {})
    waiting = [file.intended_s for file in files if file.intended_s and file.acknowledged_s and not file.is_settled]
    return {
        "type": name,
        "uploaded": f"{sum(file.acknowledged_s is not None for file in files)} / {len(files)}",
        "queued": queue.get("visible"),
        "flight": queue.get("in_flight"),
        "oldest": round(now_s - min(waiting), 1) if waiting else None,
        "stage": sample["stage_rows"].get(name),
        "final": final_rows.get(name),
        "merges": sum(any(part["type"] == name and not part["error"] for part in run.types) for run in history.merges),
        "dead": queue.get("dead_lettered"),
    }


def _all(rows: list[dict[str, Any]], merge_runs: int) -> dict[str, Any]:
    def total(column: str) -> int | None:
        known = [row[column] for row in rows if row[column] is not None]
        return sum(known) if known else None

    uploaded, planned = (sum(int(row["uploaded"].split(" / ")[part]) for row in rows) for part in (0, 1))
    oldest = [row["oldest"] for row in rows if row["oldest"] is not None]
    summed = {column: total(column) for column in ("queued", "flight", "stage", "final", "dead")}
    return summed | {
        "type": "all types",
        "uploaded": f"{uploaded} / {planned}",
        "oldest": max(oldest) if oldest else None,
        "merges": merge_runs,
    }


def _merge(run: MergeRun) -> dict[str, Any]:
    return {
        "run": run.number,
        "started_s": run.started_s,
        "took_s": round(run.ended_s - run.started_s, 3),
        "delayed_s": round(run.delayed_s, 3),
        "errors": run.errors,
    }

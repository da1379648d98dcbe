"""Small runs as values, for tests of what judges and tells: a good one, and edits that break it.

In: nothing. Out: a `Run`, whose events are those that a real run writes. Files of two types arrive a second apart and
all are merged by one run of the merge job; `without`, `changing` and `adding` give the run in which something differs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.checks import Check, Evidence
from harness.history import History, fold
from harness.ledger import FINISHED, Event
from harness.run_directory import RunDirectory, RunFacts
from harness.verdict import Judgement, judge

START_S = 1_700_000_000.0
TYPES = ("orders", "clicks")
RECORDS = 100
EXTENSIONS = {"orders": "csv.gz", "clicks": "jsonl.gz"}

FACTS = RunFacts(
    scenario="smoke",
    question="Does a handful of files come through?",
    pipeline="default",
    types=TYPES,
    seed=7,
    time_scale=60.0,
    sla_s=30.0,
    merge_every_s=15.0,
    visibility_timeout_s=dict.fromkeys(TYPES, 60),
    duration_s=4.0,
    drain_within_s=60.0,
    files_scheduled=4,
    records_scheduled=4 * RECORDS,
    stack="embedded",
    started_at="2023-11-14T22:13:20+00:00",
    versions={"python": "3.11.7", "nrt-harness": "0.1.0"},
    machine={"cpus": 2, "memory_gib": 24.0, "system": "Linux 6.1", "architecture": "x86_64"},
)


@dataclass(frozen=True)
class Run:
    """A run's facts and its events, without their running numbers."""

    facts: RunFacts
    events: tuple[Event, ...]
    defects: tuple[str, ...] = ()

    def without(self, event: str, **where: Any) -> "Run":
        """The run in which these events never happened."""
        kept = tuple(one for one in self.events if not _matches(one, event, where))
        assert len(kept) < len(self.events), f"there is no {event} with {where}"
        return replace(self, events=kept)

    def changing(self, event: str, where: Mapping[str, Any], **changes: Any) -> "Run":
        """The run in which these events have other fields."""
        assert any(_matches(one, event, where) for one in self.events), f"there is no {event} with {where}"
        changed = tuple(one | changes if _matches(one, event, where) else one for one in self.events)
        return replace(self, events=changed)

    def adding(self, *events: Event) -> "Run":
        """The run in which this happened too, at its end."""
        return replace(self, events=(*self.events[:-1], *events, self.events[-1]))

    def supposing(self, **facts: Any) -> "Run":
        """The run with other facts."""
        return replace(self, facts=replace(self.facts, **facts))

    def with_defects(self, *defects: str) -> "Run":
        """The run whose ledger had these defects when it was read."""
        return replace(self, defects=defects)

    @property
    def history(self) -> History:
        return fold(self.events)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.facts, self.history, self.defects)

    def judged_by(self, *checks: Check) -> Judgement:
        return judge(self.evidence, checks)

    def ledger_lines(self) -> list[str]:
        """As a ledger holds it."""
        events = [*self.events[:-1], self.events[-1] | {"events": len(self.events)}]
        return [
            json.dumps({"n": number, "at_s": START_S + number / 100} | event) + "\n"
            for number, event in enumerate(events, start=1)
        ]

    def store(self, path: Path) -> RunDirectory:
        """Write the run's directory as a real run leaves it, unjudged."""
        directory = RunDirectory(path)
        directory.logs.mkdir(parents=True)
        directory.write_facts(self.facts)
        directory.ledger.write_text("".join(self.ledger_lines()), encoding="utf-8")
        return directory


def _matches(one: Event, event: str, where: Mapping[str, Any]) -> bool:
    return one["event"] == event and all(one.get(name) == value for name, value in where.items())


def key_of(index: int) -> str:
    """The key of the good run's file of that index."""
    name = TYPES[index % len(TYPES)]
    return f"{name}/dt=2023-11-14/{name}-{index:06d}.{EXTENSIONS[name]}"


def invocation(index: int, **changes: Any) -> Event:
    """The executor's line on the invocation that loaded a file."""
    start_s = START_S + index + 0.2
    key = key_of(index)
    return {
        "event": "invocation",
        "function": f"load-{TYPES[index % len(TYPES)]}",
        "request_id": f"request-{index}",
        "environment_id": f"environment-{index % len(TYPES)}",
        "cold": index < len(TYPES),
        "start_s": start_s,
        "end_s": start_s + 0.5,
        "status": "ok",
        "error_type": None,
        "init_ms": 300.0 if index < len(TYPES) else None,
        "duration_ms": 480.0,
        "max_memory_mb": 180,
        "messages": [
            {
                "message_id": f"message-{index}",
                "sent_ms": int((start_s - 0.1) * 1000),
                "receive_count": 1,
                "keys": [key],
            }
        ],
        "batch_item_failures": [],
        "log_lines": [
            {
                "event": "file_loaded",
                "file": key,
                "rows": RECORDS,
                "committed_at_s": start_s + 0.45,
                "phase_ms": {"read": 100.0, "check": 50.0, "connect": 10.0, "copy": 250.0},
            }
        ],
    } | changes


def accounted(index: int, **changes: Any) -> Event:
    """What the final tables hold of a file; all of it, unless told otherwise."""
    counts = {"expected": RECORDS, "merged": RECORDS, "missing": 0, "altered": 0, "superseded": 0, "duplicated": 0}
    loaded_s = START_S + index + 0.4
    source = {"from_other_file": 0, "from_other_row": 0, "loaded_first_s": loaded_s, "loaded_last_s": loaded_s}
    return {"event": "accounted", "index": index, **counts, "in_stage": 0, **source} | changes


def merge_run(number: int, started_s: float, **changes: Any) -> Event:
    """One run of the merge job over both types, two seconds long."""
    types = [
        {
            "type": name,
            "started_s": started_s + offset_s,
            "committed_s": started_s + offset_s + 1,
            "rows": [{"statement": "update public", "rows": 0}, {"statement": "insert into", "rows": 2 * RECORDS}],
            "error": None,
        }
        for offset_s, name in enumerate(TYPES)
    ]
    return {
        "event": "merge_run",
        "run": number,
        "due_s": started_s,
        "started_s": started_s,
        "ended_s": started_s + 2,
        "delayed_s": 0.0,
        "types": types,
    } | changes


def sample(at_s: float, **changes: Any) -> Event:
    """One look at the queues and the stage tables."""
    queues = {name: {"visible": 1, "in_flight": 1, "dead_lettered": 0} for name in TYPES}
    return {
        "event": "sample",
        "at_s": at_s,
        "queues": queues,
        "oldest_age_s": 0.5,
        "stage_rows": dict.fromkeys(TYPES, RECORDS),
    } | changes


def dead_letter(index: int, **changes: Any) -> Event:
    """The message of a file, found on its dead letter queue."""
    return {
        "event": "dead_letter",
        "type": TYPES[index % len(TYPES)],
        "message_id": f"message-{index}",
        "keys": [key_of(index)],
        "receive_count": 3,
        "reason": "received 3 times",
    } | changes


def good_run(files: int = 4) -> Run:
    """Every file offered on time, loaded at once, merged in time and accounted for."""
    merge_started_s = START_S + files + 1
    events: list[Event] = [
        {
            "event": "planned",
            "index": index,
            "type": TYPES[index % len(TYPES)],
            "key": key_of(index),
            "records": RECORDS,
            "file_at_s": float(index),
        }
        for index in range(files)
    ]
    events.append({"event": "load_started", "start_at_s": START_S})
    for index in range(files):
        due_s = START_S + index
        started_s = due_s + 0.002
        events += [
            {"event": "made", "index": index, "at_s": due_s - 0.5, "size_bytes": 4_000},
            {"event": "uploaded", "index": index, "started_s": started_s, "acknowledged_s": due_s + 0.05},
            invocation(index),
            sample(due_s + 0.5),
        ]
    events.append(merge_run(1, merge_started_s))
    events += [
        {
            "event": "merged",
            "type": name,
            "keys": [key_of(index) for index in range(offset_s, files, len(TYPES))],
            "started_s": merge_started_s + offset_s,
            "committed_s": merge_started_s + offset_s + 1,
        }
        for offset_s, name in enumerate(TYPES)
    ]
    events.append({"event": "drained", "drained": True, "after_s": 4.0})
    events += [accounted(index) for index in range(files)]
    events += [
        {
            "event": "accounted_type",
            "type": name,
            "final_rows": len(range(offset, files, len(TYPES))) * RECORDS,
            "unexpected": 0,
            "unexpected_from": None,
            "stage_rows": 0,
        }
        for offset, name in enumerate(TYPES)
    ]
    events.append({"event": FINISHED, "interrupted": False})
    facts = replace(FACTS, files_scheduled=files, records_scheduled=files * RECORDS, duration_s=float(files))
    return Run(facts, tuple(events))

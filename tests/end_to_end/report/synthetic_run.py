"""Run directories that look like real ones, made in a moment: to look at reports, and to measure their size.

    python tests/end_to_end/report/synthetic_run.py OUT [--files 200] [--story pass|stall|trouble]

In: a story, a number of files, a seed. Out: `run.json` and `ledger.jsonl`. A queueing model, not a measurement: files
arrive at random, wait for one of a few execution environments, COPY behind one another into their type's stage table,
and are taken by the merge runs. In `stall` the warehouse stands still for a while; in `trouble` files are also poison,
lost and doubled.
"""

import argparse
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.ledger import Event, Ledger
from harness.run_directory import RunDirectory, RunFacts, machine, versions

START_S = 1_763_929_000.0
EXTENSIONS = {"orders": "csv.gz", "clicks": "jsonl.gz", "payments": "parquet", "inventory": "csv"}
TYPES = tuple(EXTENSIONS)
STORIES = ("pass", "stall", "trouble")
RECORDS = 10_000
RATE_PER_MIN = 100
SLA_S, MERGE_EVERY_S = 30.0, 15.0
ENVIRONMENTS_PER_TYPE = 2
MAX_RECEIVE_COUNT = 3
VISIBILITY_TIMEOUT_S = 12
STALL_S = (40.0, 68.0)


@dataclass
class Simulation:
    """Offsets in seconds from the start of the load."""

    story: str
    files: int
    seed: int
    events: list[tuple[float, Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.free_at = {name: [0.0] * ENVIRONMENTS_PER_TYPE for name in TYPES}
        self.used = {name: [False] * ENVIRONMENTS_PER_TYPE for name in TYPES}
        self.lock_free_at = dict.fromkeys(TYPES, 0.0)
        self.sent: dict[int, float] = {}
        self.taken: dict[int, float] = {}
        self.committed: dict[int, float] = {}
        self.dead: dict[int, float] = {}
        self.keys: dict[int, tuple[str, str]] = {}
        self.duration_s = self.files * 60 / RATE_PER_MIN

    def say(self, at_s: float, event: str, **fields: Any) -> None:
        self.events.append((START_S + at_s, {"event": event, **fields}))

    def run(self) -> None:
        due_s = sorted(self.random.uniform(0, self.duration_s) for _ in range(self.files))
        for index, at_s in enumerate(due_s):
            name = self.random.choices(TYPES, weights=(4, 3, 2, 1))[0]
            key = f"{name}/dt=2025-11-23/{name}-{index:06d}.{EXTENSIONS[name]}"
            self.keys[index] = (name, key)
            self.say(-3, "planned", index=index, type=name, key=key, records=RECORDS, file_at_s=round(at_s, 4))
        self.say(-2, "load_started", start_at_s=START_S)
        for index, at_s in enumerate(due_s):
            self.deliver(index, at_s)
        end_s = self.merge_all()
        self.sample_until(end_s)
        if self.story != "pass":
            self.say(STALL_S[0], "fault", name="warehouse stall", action="inject")
            self.say(STALL_S[1], "fault", name="warehouse stall", action="heal")
        self.account(end_s)

    def deliver(self, index: int, at_s: float) -> None:
        self.say(at_s - 0.4, "made", index=index, size_bytes=self.random.randint(380_000, 620_000))
        started_s = at_s + min(0.02, self.random.expovariate(1 / 0.0015))
        acknowledged_s = started_s + self.random.uniform(0.005, 0.018)
        self.say(
            acknowledged_s, "uploaded", index=index,
            started_s=START_S + started_s, acknowledged_s=START_S + acknowledged_s,
        )  # fmt: skip
        self.sent[index] = acknowledged_s - 0.002
        visible_s = self.sent[index]
        poison = self.story == "trouble" and index % 67 == 33
        for receive_count in range(1, MAX_RECEIVE_COUNT + 1):
            if not poison:
                self.load(index, visible_s, receive_count)
                return
            visible_s = self.fail(index, visible_s, receive_count) + VISIBILITY_TIMEOUT_S
        self.dead[index] = visible_s

    def environment(self, index: int, visible_s: float) -> tuple[int, float, bool]:
        """The environment that takes the message, when it does, and whether it is new."""
        name, _ = self.keys[index]
        free_at = self.free_at[name]
        number = min(range(len(free_at)), key=free_at.__getitem__)
        start_s = max(visible_s + self.random.uniform(0.01, 0.09), free_at[number])
        cold, self.used[name][number] = not self.used[name][number], True
        return number, start_s, cold

    def load(self, index: int, visible_s: float, receive_count: int) -> None:
        name, key = self.keys[index]
        number, start_s, cold = self.environment(index, visible_s)
        init_s = self.random.uniform(1.6, 2.1) if cold else 0.0
        phases_s = {
            "read": self.random.uniform(0.02, 0.05),
            "check": self.random.uniform(0.01, 0.02),
            "connect": 0.09 if cold else 0.0,
        }
        start_s += init_s
        asked_s = start_s + sum(phases_s.values())
        begin_s = max(asked_s, self.lock_free_at[name])
        if self.story != "pass" and STALL_S[0] <= begin_s < STALL_S[1]:
            begin_s = STALL_S[1]
        committed_s = begin_s + self.random.lognormvariate(-0.7, 0.45)
        self.lock_free_at[name] = committed_s
        phases_s["copy"] = committed_s - asked_s
        self.committed[index], self.taken[index] = committed_s, start_s
        end_s = committed_s + 0.01
        self.free_at[name][number] = end_s
        log = {
            "event": "file_loaded", "file": key, "rows": RECORDS, "committed_at_s": START_S + committed_s,
            "phase_ms": {phase: round(seconds * 1000, 1) for phase, seconds in phases_s.items()},
        }  # fmt: skip
        self.invoked(index, number, start_s, end_s, cold, init_s, receive_count, [], [log])

    def fail(self, index: int, visible_s: float, receive_count: int) -> float:
        name, key = self.keys[index]
        number, start_s, cold = self.environment(index, visible_s)
        init_s = 1.8 if cold else 0.0
        start_s += init_s
        end_s = start_s + 0.06
        self.free_at[name][number] = end_s
        self.taken.setdefault(index, start_s)
        error = f"{key}: row 17, column 3: 'n/a' is not a number"
        log = {"event": "file_failed", "file": key, "error": error, "message_id": f"m-{index:06d}"}
        self.invoked(index, number, start_s, end_s, cold, init_s, receive_count, [f"m-{index:06d}"], [log])
        return end_s

    def invoked(
        self, index: int, number: int, start_s: float, end_s: float, cold: bool, init_s: float, receive_count: int,
        failed: list[str], log_lines: list[Event],
    ) -> None:  # fmt: skip
        name, key = self.keys[index]
        message = {"message_id": f"m-{index:06d}", "sent_ms": int((START_S + self.sent[index]) * 1000), "keys": [key]}
        self.say(
            end_s, "invocation", function=f"load-{name}", request_id=f"r-{index:06d}-{receive_count}",
            environment_id=f"{name}-{number}", cold=cold, start_s=START_S + start_s, end_s=START_S + end_s, status="ok",
            error_type=None, init_ms=init_s * 1000 or None, duration_ms=round((end_s - start_s) * 1000, 1),
            max_memory_mb=212, messages=[message | {"receive_count": receive_count}], batch_item_failures=failed,
            log_lines=log_lines,
        )  # fmt: skip

    def merge_all(self) -> float:
        """Merge runs until everything is merged; the end of the last one."""
        waiting, number, ended_s = dict(self.committed), 0, 0.0
        self.merged: dict[int, float] = {}
        while waiting or ended_s < max(self.dead.values(), default=0):
            number += 1
            due_s = number * MERGE_EVERY_S
            started_s = max(due_s, ended_s) + 0.01
            ended_s = self.merge(number, due_s, started_s, waiting)
        return ended_s + 1

    def merge(self, number: int, due_s: float, started_s: float, waiting: dict[int, float]) -> float:
        types, at_s = [], started_s
        for name in TYPES:
            taken = [index for index, at in waiting.items() if at < at_s and self.keys[index][0] == name]
            committed_s = at_s + 0.08 + len(taken) * 0.055
            rows = len(taken) * RECORDS
            types.append({
                "type": name, "started_s": START_S + at_s, "committed_s": START_S + committed_s, "error": None,
                "rows": [
                    {"statement": "create temporary table newest", "rows": rows},
                    {"statement": f"update public.{name}", "rows": 0},
                    {"statement": f"insert into public.{name}", "rows": rows},
                    {"statement": f"delete from stage.{name}", "rows": rows},
                ],
            })  # fmt: skip
            lost = [index for index in taken if self.lost(index)]
            self.say(
                committed_s, "merged", type=name, keys=[self.keys[index][1] for index in taken if index not in lost],
                started_s=START_S + at_s, committed_s=START_S + committed_s,
            )  # fmt: skip
            for index in taken:
                waiting.pop(index)
                self.merged[index] = committed_s
            at_s = committed_s
        self.say(
            at_s, "merge_run", run=number, due_s=START_S + due_s, started_s=START_S + started_s, ended_s=START_S + at_s,
            delayed_s=round(max(0.0, started_s - due_s - 0.1), 3), types=types,
        )  # fmt: skip
        return at_s

    def lost(self, index: int) -> bool:
        return self.story == "trouble" and index == self.files // 3

    def sample_until(self, end_s: float) -> None:
        """A look each second; first in, first out is near enough for the oldest age."""
        by_type: dict[str, dict[str, list[float]]] = {}
        for name in TYPES:
            mine = [index for index, (kind, _) in self.keys.items() if kind == name]
            sources = {"sent": self.sent, "taken": self.taken, "left": self.committed | self.dead}
            sources |= {"dead": self.dead, "staged": self.committed, "merged": self.merged}
            by_type[name] = {what: sorted(at[i] for i in mine if i in at) for what, at in sources.items()}
        for at_s in range(int(end_s)):
            queues, stage_rows, oldest_s = {}, {}, 0.0
            for name, times in by_type.items():
                count = {what: bisect_right(at, at_s) for what, at in times.items()}
                if count["taken"] < count["sent"]:
                    oldest_s = max(oldest_s, at_s - times["sent"][count["taken"]])
                queues[name] = {
                    "visible": count["sent"] - count["taken"],
                    "in_flight": count["taken"] - count["left"],
                    "dead_lettered": count["dead"],
                }
                stage_rows[name] = (count["staged"] - count["merged"]) * RECORDS
            self.say(at_s, "sample", queues=queues, oldest_age_s=round(oldest_s, 3), stage_rows=stage_rows)

    def account(self, end_s: float) -> None:
        left = set(self.keys) - set(self.merged) - set(self.dead)
        self.say(end_s, "drained", drained=not left, after_s=round(end_s - self.duration_s, 2))
        for index, at_s in self.dead.items():
            name, key = self.keys[index]
            self.say(
                end_s + 0.1, "dead_letter", type=name, message_id=f"m-{index:06d}", keys=[key],
                receive_count=MAX_RECEIVE_COUNT, reason=f"received {MAX_RECEIVE_COUNT} times, moved {at_s:.0f} s in",
            )  # fmt: skip
        for index in self.keys:
            gone = index in self.dead or self.lost(index)
            doubled = 120 if self.story == "trouble" and index == self.files // 2 + 1 else 0
            self.say(
                end_s + 0.2, "accounted", index=index, expected=RECORDS, merged=0 if gone else RECORDS,
                missing=RECORDS if gone else 0, altered=0, superseded=0, duplicated=doubled, in_stage=0,
            )  # fmt: skip
        for name in TYPES:
            rows = sum(kind == name and index not in self.dead for index, (kind, _) in self.keys.items()) * RECORDS
            self.say(
                end_s + 0.3, "accounted_type", type=name, final_rows=rows, unexpected=0, unexpected_from=None,
                stage_rows=0,
            )  # fmt: skip


def make(path: Path, story: str = "pass", files: int = 200, seed: int = 7) -> RunDirectory:
    """Write the directory of such a run, unjudged."""
    simulation = Simulation(story, files, seed)
    simulation.run()
    directory = RunDirectory(path)
    directory.logs.mkdir(parents=True)
    directory.write_facts(
        RunFacts(
            scenario="steady", question="Does the pipeline hold its SLA at 100 files a minute?", pipeline="default",
            types=TYPES, seed=seed, time_scale=60.0, sla_s=SLA_S, merge_every_s=MERGE_EVERY_S,
            visibility_timeout_s=dict.fromkeys(TYPES, VISIBILITY_TIMEOUT_S), duration_s=simulation.duration_s,
            drain_within_s=60.0, files_scheduled=files, records_scheduled=files * RECORDS, stack="embedded",
            started_at="2025-11-23T20:16:40+00:00", versions=versions(), machine=machine(),
        )
    )  # fmt: skip
    now_s = START_S
    ledger = Ledger(directory.ledger, lambda _: None, clock=lambda: now_s)
    for at_s, event in sorted(simulation.events, key=lambda pair: pair[0]):
        now_s = at_s
        ledger.append(**event)
    ledger.finish(interrupted=False)
    return directory


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--story", choices=STORIES, default="pass")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    print(make(arguments.out, arguments.story, arguments.files, arguments.seed).path)

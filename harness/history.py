"""What became of every file: the ledger's events folded into one `FileHistory` each.

In: events, in the order of the ledger. Out: a `History`. The same fold serves the live progress and the judgement
of a stored run. It draws no conclusions; `harness.checks` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.ledger import Event

STAGES = ("planned", "made", "uploaded", "queued", "handled", "staged", "merged")


@dataclass(frozen=True)
class Accounted:
    """How many of a file's records are where, counted in the tables after the run.

    `from_other_file` and `from_other_row` are whole records that name another source than the one they came from; the
    times are the first and last `loaded_at` of the rows that name this file, in epoch seconds. A ledger of an earlier
    version has none of these.
    """

    expected: int
    merged: int
    missing: int
    altered: int
    superseded: int
    duplicated: int
    in_stage: int
    from_other_file: int | None = None
    from_other_row: int | None = None
    loaded_first_s: float | None = None
    loaded_last_s: float | None = None


@dataclass(frozen=True)
class Attempt:
    """One invocation, or one run of the batch job, that got this file. Times are epoch seconds."""

    request_id: str
    function: str
    cold: bool
    start_s: float
    end_s: float
    status: str
    succeeded: bool
    receive_count: int
    message_id: str
    error: str | None
    is_batch: bool = False


@dataclass
class FileHistory:
    """One file from its intended time to the final table; None where a stage was not seen. Epoch seconds."""

    index: int
    type: str
    key: str
    records: int
    at_s: float
    is_reject: bool = False
    is_mended: bool = False
    intended_s: float | None = None
    made_s: float | None = None
    size_bytes: int | None = None
    started_s: float | None = None
    acknowledged_s: float | None = None
    not_uploaded: str | None = None
    upload_outcome: str = "none"
    sent_s: float | None = None
    attempts: list[Attempt] = field(default_factory=list)
    committed_s: float | None = None
    loaded_rows: int | None = None
    phase_ms: dict[str, float] = field(default_factory=dict)
    merge_started_s: float | None = None
    merged_s: float | None = None
    left_stage_s: float | None = None
    dead_letter: dict[str, Any] | None = None
    accounted: Accounted | None = None

    @property
    def success(self) -> Attempt | None:
        """The first invocation that took the file without an error."""
        return next((attempt for attempt in self.attempts if attempt.succeeded), None)

    @property
    def is_settled(self) -> bool:
        """Whether the pipeline is done with it, for better or worse."""
        if self.is_reject and self.success is not None:
            return True  # the function says it is done with a file that it should have refused: it will not come back
        return self.merged_s is not None or self.left_stage_s is not None or self.dead_letter is not None

    @property
    def is_superseded(self) -> bool:
        """Whether newer versions of all its records are in the final table instead."""
        return self.accounted is not None and 0 < self.accounted.expected == self.accounted.superseded

    @property
    def last_stage(self) -> str:
        """The furthest stage that the file was seen at."""
        seen = {
            "merged": self.merged_s is not None,
            "staged": self.committed_s is not None,
            "handled": self.success is not None,
            "queued": self.sent_s is not None,
            "uploaded": self.acknowledged_s is not None,
            "made": self.made_s is not None,
            "planned": True,
        }
        return next(stage for stage, was_seen in seen.items() if was_seen)

    @property
    def start_lag_s(self) -> float | None:
        """How much later than intended its upload began."""
        return None if self.started_s is None or self.intended_s is None else self.started_s - self.intended_s

    @property
    def end_to_end_s(self) -> float | None:
        """From the intended time to the commit that made it queryable in the final table."""
        return None if self.merged_s is None or self.intended_s is None else self.merged_s - self.intended_s

    def stage_latencies_s(self) -> dict[str, float]:
        """Seconds spent in each stage, for the stages whose both ends were seen.

        S3 sends its notification while it answers the PUT, so the message can be a few milliseconds older than the
        acknowledgement; `notify` is then 0. A batch job has no queue: a file waits for its run, which merges it too.
        """
        success = self.success
        if success is not None and success.is_batch:
            return self._batch_latencies_s(success)
        ends = {
            "upload": (self.intended_s, self.acknowledged_s),
            "notify": (self.acknowledged_s, self.sent_s),
            "queue": (self.sent_s, success.start_s if success else None),
            "handler": (success.start_s if success else None, success.end_s if success else None),
            "merge_wait": (success.end_s if success else None, self.merge_started_s),
            "merge": (self.merge_started_s, self.merged_s),
        }
        return _durations_s(ends)

    def _batch_latencies_s(self, run: Attempt) -> dict[str, float]:
        ends = {
            "upload": (self.intended_s, self.acknowledged_s),
            "batch_wait": (self.acknowledged_s, run.start_s),
            "batch": (run.start_s, run.end_s),
            "merge": (run.end_s, self.merged_s),
        }
        return _durations_s(ends)


def _durations_s(ends: Mapping[str, tuple[float | None, float | None]]) -> dict[str, float]:
    return {
        stage: max(0.0, end - start) for stage, (start, end) in ends.items() if start is not None and end is not None
    }


@dataclass
class MergeRun:
    """One run of the merge job over all types."""

    number: int
    due_s: float
    started_s: float
    ended_s: float
    delayed_s: float
    types: list[dict[str, Any]]

    @property
    def errors(self) -> list[str]:
        return [f"{entry['type']}: {entry['error']}" for entry in self.types if entry["error"]]


@dataclass
class History:
    """The whole run. `problems` are the harness's own: a probe that died, a part of the stack that ended;
    `outages` are parts that went away unplanned and came back."""

    files: dict[str, FileHistory] = field(default_factory=dict)
    start_at_s: float | None = None
    merges: list[MergeRun] = field(default_factory=list)
    samples: list[Event] = field(default_factory=list)
    invocations: list[Event] = field(default_factory=list)
    batch_runs: list[Event] = field(default_factory=list)
    dead_letters: list[Event] = field(default_factory=list)
    redriven: set[str] = field(default_factory=set)
    type_totals: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    max_receive_count: dict[str, int] = field(default_factory=dict)
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults_planned: list[str] = field(default_factory=list)
    faults: list[Event] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    outages: list[Event] = field(default_factory=list)
    others_cpu_share: float | None = None
    drained: bool | None = None
    drain_s: float | None = None
    interrupted: bool = False
    finished: bool = False
    _by_index: dict[int, FileHistory] = field(default_factory=dict)

    @property
    def faults_at_work(self) -> set[str]:
        """The faults that were injected and are not healed."""
        at_work: set[str] = set()
        for event in list(self.faults):
            (at_work.discard if event["action"] == "heal" else at_work.add)(event["name"])
        return at_work

    def apply(self, event: Event) -> None:
        """Take one event in. Unknown events are left alone: a later version's ledger can still be judged."""
        handler = getattr(self, f"_on_{event['event']}", None)
        if handler is not None:
            handler(event)

    def _on_planned(self, event: Event) -> None:
        file = FileHistory(
            event["index"],
            event["type"],
            event["key"],
            event["records"],
            event["file_at_s"],
            is_reject=event.get("reject", False),
        )
        self.files[file.key] = self._by_index[file.index] = file

    def _on_provisioned(self, event: Event) -> None:
        self.max_receive_count = event["max_receive_count"]
        self.functions = event.get("functions", {})
        self.faults_planned = event["faults"]

    def _on_load_started(self, event: Event) -> None:
        self.start_at_s = event["start_at_s"]
        for file in self.files.values():
            file.intended_s = event["start_at_s"] + file.at_s

    def _file(self, event: Event) -> FileHistory | None:
        return self._by_index.get(event["index"])

    def _on_made(self, event: Event) -> None:
        if file := self._file(event):
            file.made_s, file.size_bytes = event["at_s"], event["size_bytes"]

    def _on_uploaded(self, event: Event) -> None:
        if file := self._file(event):
            file.started_s, file.acknowledged_s = event["started_s"], event["acknowledged_s"]
            file.upload_outcome = "uploaded"

    def _on_upload_failed(self, event: Event) -> None:
        if file := self._file(event):
            file.not_uploaded, file.upload_outcome = event["error"], event["outcome"]

    def _on_dropped(self, event: Event) -> None:
        if file := self._file(event):
            file.not_uploaded, file.upload_outcome = event["reason"], "dropped"

    def _on_invocation(self, event: Event) -> None:
        self.invocations.append(event)
        failed = set(event["batch_item_failures"])
        for message in event["messages"]:
            for key in message["keys"]:
                if event.get("error_type"):
                    self.reasons[key] = event["error_type"]
                if file := self.files.get(key):
                    if file.sent_s is None and message["sent_ms"] is not None:
                        file.sent_s = message["sent_ms"] / 1000
                    file.attempts.append(
                        Attempt(
                            event["request_id"], event["function"], event["cold"], event["start_s"], event["end_s"],
                            event["status"], event["status"] == "ok" and message["message_id"] not in failed,
                            message["receive_count"], message["message_id"], event.get("error_type"),
                        )
                    )  # fmt: skip
        for line in event.get("log_lines", ()):
            file = self.files.get(line.get("file", ""))
            if file and file.committed_s is None and line.get("event") == "file_loaded" and "committed_at_s" in line:
                file.committed_s, file.phase_ms = line["committed_at_s"], line.get("phase_ms", {})
                file.loaded_rows = line.get("rows")
            if file and line.get("event") == "file_failed":
                self.reasons[file.key] = str(line.get("error", ""))

    def _on_batch_run(self, event: Event) -> None:
        self.batch_runs.append(event)
        for entry in event["types"]:
            for key in entry["keys"]:
                if file := self.files.get(key):
                    # the load is over when its merge begins; a run that failed before has none
                    end_s = entry["merge_started_s"] or event["ended_s"]
                    file.attempts.append(
                        Attempt(
                            event["run_id"], event["job"], True, event["started_s"], end_s, event["status"],
                            entry["committed_s"] is not None, len(file.attempts) + 1, "", event["error"], True,
                        )
                    )  # fmt: skip

    def _on_merge_run(self, event: Event) -> None:
        self.merges.append(
            MergeRun(event["run"], event["due_s"], event["started_s"], event["ended_s"], event["delayed_s"],
                     event["types"])
        )  # fmt: skip

    def _on_merged(self, event: Event) -> None:
        for key in event["keys"]:
            file = self.files.get(key)
            if file and file.merged_s is None:
                file.merge_started_s, file.merged_s = event["started_s"], event["committed_s"]

    def _on_left_stage(self, event: Event) -> None:
        for key in event["keys"]:
            if file := self.files.get(key):
                file.left_stage_s = event["committed_s"]

    def _on_sample(self, event: Event) -> None:
        self.samples.append(event)

    def _on_dead_letter(self, event: Event) -> None:
        self.dead_letters.append(event)
        for key in event["keys"]:
            if file := self.files.get(key):
                file.dead_letter = event

    def _on_mended(self, event: Event) -> None:
        """Somebody put the file in order that the source should have sent: from now on it is one to load."""
        for key in event["keys"]:
            if file := self.files.get(key):
                file.is_reject, file.is_mended = False, True

    def _on_redriven(self, event: Event) -> None:
        """These letters are on their source queues again; what is still broken has to come back."""
        self.redriven |= set(event["message_ids"])
        self.dead_letters = [letter for letter in self.dead_letters if letter["message_id"] not in self.redriven]
        for key in event["keys"]:
            if file := self.files.get(key):
                file.dead_letter = None

    def _on_accounted(self, event: Event) -> None:
        if file := self._file(event):
            known = {name: event[name] for name in Accounted.__dataclass_fields__ if name in event}
            file.accounted = Accounted(**known)

    def _on_accounted_type(self, event: Event) -> None:
        self.type_totals[event["type"]] = event

    def _on_fault(self, event: Event) -> None:
        self.faults.append(event)

    def _on_problem(self, event: Event) -> None:
        self.problems.append(event["text"])

    def _on_outage(self, event: Event) -> None:
        self.outages.append(event)

    def _on_machine_use(self, event: Event) -> None:
        self.others_cpu_share = event["others_share"]

    def _on_drained(self, event: Event) -> None:
        self.drained, self.drain_s = event["drained"], event["after_s"]

    def _on_run_finished(self, event: Event) -> None:
        self.interrupted, self.finished = event["interrupted"], True


def fold(events: tuple[Event, ...]) -> History:
    """The history that a whole ledger tells; an event that lacks what it should hold leaves the run unfinished."""
    history = History()
    unreadable = []
    for event in events:
        try:
            history.apply(event)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            unreadable.append(f"event {event.get('n')} ({event['event']}) cannot be read: {error!r}")
    if unreadable:
        history.problems += unreadable
        history.finished = False
    return history

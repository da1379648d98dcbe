"""The way of the files as a row of stations: how many came through each, how long it took, and which is at fault.

In: the evidence of a run, and who is suspected. Out: `Station`s, plain text for whoever draws them. It is what a reader
sees before any chart: the first number that is too small, or the mark, says where to look.
"""

from collections.abc import Collection
from dataclasses import dataclass
from statistics import median

from harness.checks import Evidence
from harness.evidence import on_the_way
from harness.report.words import count, seconds, several

LABELS = {
    "upload": ("Upload", "to the landing bucket"),
    "queue": ("Queue", "notification and wait"),
    "handler": ("Function", "into the stage table"),
    "merge": ("Merge", "wait and transaction"),
    "final": ("Final table", "counted after the run"),
}
BATCH_LABELS = {
    "queue": ("Landing bucket", "wait for the batch job"),
    "handler": ("Batch job", "start, read, load"),
    "merge": ("Merge", "its transaction"),
}
STAGES = {
    "upload": ("upload",),
    "queue": ("notify", "queue", "batch_wait"),
    "handler": ("handler", "batch"),
    "merge": ("merge_wait", "merge"),
}


@dataclass(frozen=True)
class Station:
    """`through` of `of` came through; `time` is in words; `notes` say what did not go on, or did not only once."""

    name: str
    label: str
    about: str
    through: str
    short: bool
    time: str
    notes: tuple[str, ...]
    at_fault: bool


def stations(evidence: Evidence, faulty: Collection[str]) -> list[Station]:
    """All stations in the order of the way; `faulty` are the names of those to mark."""
    labels = LABELS | (BATCH_LABELS if evidence.facts.design == "batch" else {})
    passed = _passed(evidence)
    due = len(evidence.files)
    found = [
        Station(
            name, *labels[name], f"{number:,} of {several(due, 'file')}", number < due - _refused(evidence, name),
            _time(evidence, name), tuple(_notes(evidence, name)), name in faulty,
        )
        for name, number in passed.items()
    ]  # fmt: skip
    return [*found, _final(evidence, labels["final"], "final" in faulty)]


def _passed(evidence: Evidence) -> dict[str, int]:
    files = evidence.files
    return {
        "upload": sum(file.acknowledged_s is not None for file in files),
        "queue": sum(bool(file.attempts) for file in files),
        "handler": sum(file.committed_s is not None or _batch_loaded(file.success) for file in files),
        "merge": sum(file.merged_s is not None for file in files),
    }


def _batch_loaded(success: object) -> bool:
    return bool(getattr(success, "is_batch", False))


def _refused(evidence: Evidence, name: str) -> int:
    """Files that were made to be refused end at the function, and that is right."""
    return sum(file.is_reject for file in evidence.files) if name in ("handler", "merge") else 0


def _time(evidence: Evidence, name: str) -> str:
    stages = [file.stage_latencies_s() for file in evidence.files]
    took_s = [sum(one.get(stage, 0.0) for stage in STAGES[name]) for one in stages if one.keys() & set(STAGES[name])]
    return f"{seconds(median(took_s))}, at most {seconds(max(took_s))}" if took_s else "–"


def _notes(evidence: Evidence, name: str) -> list[str]:
    if name == "handler":
        dead = len(evidence.history.dead_letters)
        again = sum(len(file.attempts) > 1 for file in evidence.files)
        return [f"{several(dead, 'dead letter')}"] * bool(dead) + [f"{several(again, 'file')} tried again"] * bool(
            again
        )
    if name == "merge":
        failed = sum(bool(merge.errors) for merge in evidence.history.merges)
        return [f"{several(failed, 'run')} failed"] * bool(failed)
    return []


def _final(evidence: Evidence, label: tuple[str, str], at_fault: bool) -> Station:
    counted = [file.accounted for file in evidence.delivered if file.accounted and file.dead_letter is None]
    if not counted:
        return Station("final", *label, "not counted", True, "–", (), at_fault)
    expected, missing = sum(one.expected for one in counted), sum(one.missing for one in counted)
    keys = on_the_way(evidence)
    waiting = sum(file.accounted.missing for file in evidence.delivered if file.accounted and file.key in keys)
    wrong = {
        "lost": missing - waiting,
        "still on their way": waiting,
        "doubled": sum(one.duplicated for one in counted),
        "altered": sum(one.altered for one in counted),
        "unexpected": sum(totals["unexpected"] for totals in evidence.history.type_totals.values()),
    }
    notes = tuple(f"{number:,} {what}" for what, number in wrong.items() if number)
    return Station(
        "final", *label, f"{count(expected - missing)} of {count(expected)} records", bool(notes), "", notes, at_fault
    )

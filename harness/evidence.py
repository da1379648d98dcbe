"""What every check is made of: the evidence, the verdicts, and the words that several of them use.

In: a history and its run's facts. Out: `Evidence`, `Check` and `CheckResult`. It makes no promise itself;
`harness.checks` does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.history import FileHistory, History
from harness.run_directory import RunFacts

NAMED_FILES_MAX = 3
# With less than half of the CPU, a function that times out says more about the machine than about the function.
OTHERS_CPU_SHARE_MAX = 0.5
# How the fault that has functions time out is named (`harness.faults.functions.Breaks`).
TIMES_OUT = "function: timeout"


class Verdict(StrEnum):
    """Three values, as in Jepsen: a run that cannot tell is not a pass."""

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


@dataclass(frozen=True)
class Evidence:
    """All that a check may look at."""

    facts: RunFacts
    history: History
    ledger_defects: tuple[str, ...]

    @property
    def files(self) -> list[FileHistory]:
        return list(self.history.files.values())

    @property
    def delivered(self) -> list[FileHistory]:
        """Files that the landing bucket acknowledged."""
        return [file for file in self.files if file.acknowledged_s is not None]


@dataclass(frozen=True)
class CheckResult:
    """`detail` is a sentence for people; it names files when there are few."""

    name: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class Check:
    """A named promise."""

    name: str
    judge: Callable[[Evidence], tuple[Verdict, str]]

    def __call__(self, evidence: Evidence) -> CheckResult:
        verdict, detail = self.judge(evidence)
        return CheckResult(self.name, verdict, detail)


def count_of_files(count: int) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} file" if count == 1 else f"{count:,} files"


def named(items: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    listed = list(items)
    more = f" and {len(listed) - NAMED_FILES_MAX} more" if len(listed) > NAMED_FILES_MAX else ""
    return "; ".join(listed[:NAMED_FILES_MAX]) + more


def _not_accounted(evidence: Evidence) -> list[FileHistory]:
    return [file for file in evidence.delivered if file.accounted is None]


def on_the_way(evidence: Evidence) -> frozenset[str]:
    """Files of a run that did not drain in time whose missing records somebody would still have come to: they lie in
    the stage table and no merge has passed them by, or their messages are still on the queue. Of these nobody knows
    whether they would have been lost.

    A queue tells how many messages it has, not which: when they are fewer than the files that no invocation took, some
    are gone, and none of that type counts as on its way.
    """
    history = evidence.history
    if history.drained is not False:
        return frozenset()
    missing = [
        file
        for file in evidence.delivered
        if file.accounted and file.accounted.missing and file.dead_letter is None and not file.is_reject
    ]
    staged = {file.key for file in missing if _awaits_merge(file, history)}
    queues = history.samples[-1]["queues"] if history.samples else {}
    queued = set[str]()
    for name, depth in queues.items():
        files = [file.key for file in missing if file.type == name and file.key not in staged and file.success is None]
        if len(files) <= depth["visible"] + depth["in_flight"]:
            queued.update(files)
    return frozenset(staged | queued)


def _awaits_merge(file: FileHistory, history: History) -> bool:
    counted = file.accounted
    if counted is None or counted.in_stage < counted.missing:
        return False
    merges = [entry for run in history.merges for entry in run.types if entry["type"] == file.type]
    last_s = max((entry["started_s"] for entry in merges if entry["committed_s"] is not None), default=0.0)
    # staged after the last look at the invocations, if none is known to have taken it
    return file.success is None or file.success.end_s > last_s


def accounting_missing(evidence: Evidence) -> tuple[Verdict, str] | None:
    """What a check of records says when not all of them were counted; None when they were."""
    if evidence.history.start_at_s is None:
        return Verdict.INCONCLUSIVE, "no file was offered"
    if unknown := _not_accounted(evidence):
        return (
            Verdict.INCONCLUSIVE,
            f"{len(unknown)} of {len(evidence.delivered)} delivered files were not accounted for",
        )
    if missing := [name for name in evidence.facts.types if name not in evidence.history.type_totals]:
        return Verdict.INCONCLUSIVE, f"the tables of {', '.join(missing)} were not counted"
    return None


def starvation(evidence: Evidence) -> str | None:
    """Why this run can say nothing of the pipeline: functions timed out, by no fault of the scenario, while others had
    most of the machine. None when it can."""
    history = evidence.history
    share = history.others_cpu_share
    timed_out = sum(event["status"] == "timeout" for event in history.invocations)
    on_purpose = any(name.startswith(TIMES_OUT) for name in history.faults_planned)
    if share is None or share <= OTHERS_CPU_SHARE_MAX or not timed_out or on_purpose:
        return None
    return (
        f"{timed_out} of {len(history.invocations)} invocations timed out while other programs took {share:.0%} of "
        "this machine's CPU: that says nothing of the pipeline"
    )

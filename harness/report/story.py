"""What happened, in words: one sentence for the top of a report, and the findings that explain it.

In: a judgement. Out: plain text sentences. Everything said here is counted or measured; `harness.report.blame`
says which part of the way made files late.
"""

from collections import Counter
from statistics import fmean

from harness.checks import Evidence, Verdict
from harness.report import breakdown
from harness.report.blame import Excess, HeldUp, held_up_ahead, late_files, nobody_ran
from harness.report.breakdown import Breakdown
from harness.report.series import fault_windows
from harness.report.suspects import suspects
from harness.report.waits import idle_share, lock_holders
from harness.report.words import count, listed, one_line, percent, seconds, several
from harness.verdict import Judgement

# Somebody held a lock who had it for so much of the time for which others waited.
HELD_MOSTLY = 0.5
NOBODY_RAN = (
    "no invocation of their function ran at all, so no handler is to blame: the function was throttled (reserved "
    "concurrency, the account's limit), its event source mapping did not poll, or SQS or Lambda did not answer."
)
# Worth a word beside what is said of the invocations that did run.
IDLE_WORTH_TELLING = 0.2


def headline(judgement: Judgement) -> str:
    """One sentence that says what happened."""
    evidence = judgement.evidence
    figures = judgement.to_json()
    files, records, sla = figures["files"], figures["records"], figures["sla"]
    if judgement.verdict is Verdict.PASS:
        left = 1 - (sla["worst_s"] or 0.0) / sla["limit_s"]
        refused = sum(file.is_reject and file.dead_letter is not None for file in evidence.delivered)
        beside = f", and {several(refused, 'file')} made to be refused ended on a dead letter queue" if refused else ""
        return (
            f"All {several(files['uploaded'] - refused, 'delivered file')} ({count(records['expected'])} records) came "
            f"through{beside}: the slowest was queryable after {seconds(sla['worst_s'])} of the "
            f"{seconds(sla['limit_s'])} allowed, which leaves {percent(left)} of the SLA."
        )
    if judgement.verdict is Verdict.INCONCLUSIVE:
        reasons = [result.detail for result in judgement.results if result.verdict is Verdict.INCONCLUSIVE]
        return f"This run cannot tell: {'; '.join(reasons) or 'nothing was checked'}."
    broken = list[str]()
    if records["lost"]:
        broken.append(f"{several(records['lost'], 'record')} of {several(files['lost'], 'file')} were lost")
    if records["on_the_way"]:
        broken.append(
            f"{several(records['on_the_way'], 'record')} of {several(files['on_the_way'], 'file')} were still on their "
            "way when the time to drain was over"
        )
    if records["duplicated"]:
        broken.append(f"{several(records['duplicated'], 'record')} arrived twice")
    if records["altered"]:
        broken.append(f"{several(records['altered'], 'record')} differ from what was delivered")
    if late := late_files(evidence):
        broken.append(
            f"{len(late.files):,} of {several(files['uploaded'], 'file')} missed the SLA of "
            f"{seconds(sla['limit_s'])} (the slowest took {seconds(sla['worst_s'])})"
        )
    if dead := sum(file.dead_letter is not None and not file.is_reject for file in evidence.files):
        broken.append(f"{several(dead, 'file')} ended on a dead letter queue")
    if not broken:
        broken = [result.detail for result in judgement.results if result.verdict is Verdict.FAIL]
    return f"{listed(broken)}."


def findings(judgement: Judgement) -> list[str]:
    """What explains the headline, most important first."""
    evidence = judgement.evidence
    return [
        *(suspect.why for suspect in suspects(evidence)),
        *_about_late(evidence),
        *_about_refused(evidence),
        *_about_usual(evidence),
    ]


def _about_late(evidence: Evidence) -> list[str]:
    late = late_files(evidence)
    if late is None:
        return []
    compared = " in the files that were in time" if late.excess.usual_s is not None else ""
    said = [f"The late files lost their time in {_excess(late.excess)}{compared}."]
    blamed = late.excess.part
    idle = idle_share(evidence, late.files) if blamed == "queue" else 0.0
    if idle >= IDLE_WORTH_TELLING:
        said.append(f"For {percent(idle)} of that time {NOBODY_RAN}")
    if blamed == "queue" and not nobody_ran(evidence, late):
        ahead = held_up_ahead(evidence, late)
        said.append(_about_queue(ahead))
        blamed = ahead.excess.part if ahead.excess else ahead.usual_part
    if blamed == "phase:lock_wait":
        said += _about_lock(evidence)
    if late.excess.part in ("merge_wait", "merge"):
        said += _about_merge(evidence)
    for window in fault_windows(evidence.history, evidence.history.start_at_s or 0.0):
        hit = sum(_under_way(one, evidence, window.from_s, window.to_s) for one in late.files)
        if hit:
            said.append(
                f"{hit:,} of the {len(late.files):,} late files were on their way while “{window.name}” was injected "
                f"({_from_to(window.from_s, window.to_s)} into the load)."
            )
    return said


def _from_to(from_s: float, to_s: float) -> str:
    return f"{seconds(from_s)} to {seconds(to_s)}" if from_s > 0 else f"from before its beginning to {seconds(to_s)}"


def _about_lock(evidence: Evidence) -> list[str]:
    """Who held the lock that COPY waited for."""
    holders = lock_holders(evidence, breakdown.of_run(evidence.history))
    if holders is None:
        return []
    loads, merges = holders.loads >= HELD_MOSTLY, holders.merges >= HELD_MOSTLY
    if loads:
        return [
            "The lock was held by the loads of other files: each keeps its table's lock from COPY to the commit, "
            f"{seconds(holders.load_s)}, and the next one waits for it. A shorter COPY and transaction, fewer "
            "invocations at once or more files in one COPY help; more concurrency does not."
        ]
    if merges:
        return ["The lock was held by the merge job's transactions, which take rows away from the stage table."]
    return [
        f"Neither other loads (each holds the lock for {seconds(holders.load_s)}) nor the merge job held the lock for "
        f"most of that time ({percent(holders.loads)} and {percent(holders.merges)}): another session of the warehouse "
        "did. Look there for an open transaction on the stage tables."
    ]


def _about_merge(evidence: Evidence) -> list[str]:
    """Of the longest merge run, when it took more than a moment of its interval: which type held up the others."""
    merges, every_s = evidence.history.merges, evidence.facts.merge_every_s
    if not merges:
        return ["No merge run was seen."]
    longest = max(merges, key=lambda merge: merge.ended_s - merge.started_s)
    took_s = {
        entry["type"]: entry["committed_s"] - entry["started_s"]
        for entry in longest.types
        if entry["committed_s"] is not None
    }
    whole_s = longest.ended_s - longest.started_s
    if whole_s <= every_s / 2 or not took_s:
        return []
    slowest = max(took_s, key=took_s.__getitem__)
    overran = f", more than its interval of {seconds(every_s)}" if whole_s > every_s else ""
    return [
        f"Merge run {longest.number} took {seconds(whole_s)}{overran}; {seconds(took_s[slowest])} of it went into the "
        f"transaction of {one_line(slowest)}, for which the types after it waited."
    ]


def _excess(excess: Excess) -> str:
    against = "" if excess.usual_s is None else f", against {seconds(excess.usual_s)}"
    return (
        f"“{breakdown.label(excess.part)}” ({breakdown.meaning(excess.part)}): {seconds(excess.took_s)} on average"
        + against
    )


def _about_queue(ahead: HeldUp) -> str:
    if ahead.excess is None:
        return (
            f"The invocations ahead of them took no longer than usual: about {seconds(ahead.usual_s)} each, most of "
            f"it in “{breakdown.label(ahead.usual_part)}”, and at most {ahead.at_once:,} ran at once, so they are too "
            "slow or too few for the rate."
        )
    return (
        f"They waited because {several(ahead.invocations, 'invocation')} ahead of them "
        f"{'was' if ahead.invocations == 1 else 'were'} held up in {_excess(ahead.excess)} usually."
    )


def _under_way(one: Breakdown, evidence: Evidence, from_s: float, to_s: float) -> bool:
    origin_s, file = evidence.history.start_at_s or 0.0, one.file
    assert file.intended_s is not None
    assert file.merged_s is not None
    return file.intended_s - origin_s < to_s and file.merged_s - origin_s > from_s


def _about_refused(evidence: Evidence) -> list[str]:
    """Dead letters that the scenario made."""
    refused = [file for file in evidence.delivered if file.is_reject and file.dead_letter is not None]
    if not refused:
        return []
    types = Counter(file.type for file in refused)
    named = listed([f"{number:,} of {name}" for name, number in types.most_common()])
    return [f"{several(len(refused), 'file')} made to be refused reached their dead letter queues: {named}."]


def _about_usual(evidence: Evidence) -> list[str]:
    breakdowns = breakdown.of_run(evidence.history)
    if not breakdowns:
        return ["No file was seen in a final table."]
    took_s = breakdown.mean(breakdowns)
    part = max(took_s, key=took_s.__getitem__)
    whole_s = fmean(one.file.end_to_end_s or 0.0 for one in breakdowns)
    if whole_s <= 0:
        return []
    return [
        f"Over all files, most of the time went into “{breakdown.label(part)}” ({breakdown.meaning(part)}): "
        f"{seconds(took_s[part])} of {seconds(whole_s)} on average, {percent(took_s[part] / whole_s)}."
    ]

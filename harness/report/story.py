"""What happened, in words: one sentence for the top of a report, and the findings that explain it.

In: a judgement. Out: plain text sentences. Everything said here is counted or measured; `harness.report.blame`
says which part of the way made files late.
"""

from collections import Counter
from statistics import fmean

from harness.checks import Evidence, Verdict
from harness.report import breakdown
from harness.report.blame import Excess, HeldUp, held_up_ahead, late_files
from harness.report.breakdown import Breakdown
from harness.report.series import fault_windows
from harness.report.words import count, listed, percent, seconds, several
from harness.verdict import Judgement

WHERE_LOST = {
    "planned": "they were never made",
    "made": "they never reached S3",
    "uploaded": "S3 acknowledged them, and no function was ever handed their messages: the notification or the queue",
    "queued": "their messages were handed to the function, which never took one without an error: the handler",
    "handled": "the function answered that all was well, but logged no commit to the stage table: the handler",
    "staged": "they were committed to the stage table, and no merge run carried them on: the merge job",
    "merged": "a merge run committed with them, and yet the rows are not in the final table: the merge job, "
    "or something that deletes from the final table",
}
WHERE_LOST_IN_BATCHES = {
    "uploaded": "S3 acknowledged them, and no run of the batch job committed them: it did not pick them, or it failed",
    "handled": "a run of the batch job committed with them, and yet the rows are not in the final table",
}


def headline(judgement: Judgement) -> str:
    """One sentence that says what happened."""
    evidence = judgement.evidence
    figures = judgement.to_json()
    files, records, sla = figures["files"], figures["records"], figures["sla"]
    if judgement.verdict is Verdict.PASS:
        left = 1 - (sla["worst_s"] or 0.0) / sla["limit_s"]
        return (
            f"All {several(files['uploaded'], 'delivered file')} ({count(records['expected'])} records) came through: "
            f"the slowest was queryable after {seconds(sla['worst_s'])} of the {seconds(sla['limit_s'])} allowed, "
            f"which leaves {percent(left)} of the SLA."
        )
    if judgement.verdict is Verdict.INCONCLUSIVE:
        reasons = [result.detail for result in judgement.results if result.verdict is Verdict.INCONCLUSIVE]
        return f"This run cannot tell: {'; '.join(reasons) or 'nothing was checked'}."
    broken = list[str]()
    if records["lost"]:
        broken.append(f"{several(records['lost'], 'record')} of {several(files['lost'], 'file')} were lost")
    if records["duplicated"]:
        broken.append(f"{several(records['duplicated'], 'record')} arrived twice")
    if late := late_files(evidence):
        broken.append(
            f"{len(late.files):,} of {several(files['uploaded'], 'file')} missed the SLA of "
            f"{seconds(sla['limit_s'])} (the slowest took {seconds(sla['worst_s'])})"
        )
    if files["dead_lettered"]:
        broken.append(f"{several(files['dead_lettered'], 'file')} ended on a dead letter queue")
    if not broken:
        broken = [result.detail for result in judgement.results if result.verdict is Verdict.FAIL]
    return f"{listed(broken)}."


def findings(judgement: Judgement) -> list[str]:
    """What explains the headline, most important first."""
    evidence = judgement.evidence
    return [*_about_late(evidence), *_about_lost(evidence), *_about_dead_letters(evidence), *_about_usual(evidence)]


def _about_late(evidence: Evidence) -> list[str]:
    late = late_files(evidence)
    if late is None:
        return []
    compared = " in the files that were in time" if late.excess.usual_s is not None else ""
    said = [f"The late files lost their time in {_excess(late.excess)}{compared}."]
    if late.excess.part == "queue":
        said.append(_about_queue(held_up_ahead(evidence, late)))
    for window in fault_windows(evidence.history, evidence.history.start_at_s or 0.0):
        hit = sum(_under_way(one, evidence, window.from_s, window.to_s) for one in late.files)
        if hit:
            said.append(
                f"{hit:,} of the {len(late.files):,} late files were on their way while “{window.name}” was injected "
                f"({seconds(window.from_s)} to {seconds(window.to_s)} into the load)."
            )
    return said


def _excess(excess: Excess) -> str:
    against = "" if excess.usual_s is None else f", against {seconds(excess.usual_s)}"
    return (
        f"“{breakdown.label(excess.part)}” ({breakdown.meaning(excess.part)}): {seconds(excess.took_s)} on average"
        + against
    )


def _about_queue(ahead: HeldUp) -> str:
    if ahead.excess is None:
        return (
            f"No invocation meanwhile was slower than the others: each took about {seconds(ahead.usual_s)}, most of "
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


def _about_lost(evidence: Evidence) -> list[str]:
    lost = [
        file for file in evidence.delivered if file.accounted and file.accounted.missing and file.dead_letter is None
    ]
    stages = Counter(file.last_stage for file in lost)
    where = WHERE_LOST | (WHERE_LOST_IN_BATCHES if evidence.facts.design == "batch" else {})
    return [
        f"{several(number, 'file')} lost records and {'was' if number == 1 else 'were'} last seen “{stage}”: "
        f"{where[stage]}."
        for stage, number in stages.most_common()
    ]


def _about_dead_letters(evidence: Evidence) -> list[str]:
    found = evidence.history.dead_letters
    if not found:
        return []
    types = Counter(event["type"] for event in found)
    named = listed([f"{number:,} of {name}" for name, number in types.most_common()])
    return [f"{several(len(found), 'message')} reached a dead letter queue: {named}."]


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

"""What must hold: pure functions of a stored history, each with a verdict and a sentence.

In: `Evidence`. Out: one `CheckResult` a check. A check passes only on evidence: what was not measured is never a pass.
`fail` says that the pipeline under test broke a promise, `inconclusive` that this run cannot tell.
"""

import time

from harness.evidence import (
    Check,
    CheckResult,
    Evidence,
    Verdict,
    accounting_missing,
    count_of_files,
    named,
    on_the_way,
    starvation,
)
from harness.functions_check import functions_end_well, memory_levels_off
from harness.history import FileHistory, History
from harness.ledger import Event
from harness.lineage import lineage
from harness.statistics import percentile

__all__ = (
    "Check",
    "CheckResult",
    "Evidence",
    "Verdict",
    "dead_letters",
    "default_checks",
    "drained",
    "end_to_end",
    "faults_took_effect",
    "functions_end_well",
    "lineage",
    "memory_levels_off",
    "nothing_altered",
    "nothing_doubled",
    "nothing_lost",
    "nothing_unexpected",
    "offered_rate_held",
    "outage_in_words",
    "run_complete",
)

# The harness itself was too slow when uploads began later than this share of the SLA after their intended time.
START_LAG_P99_SHARE_OF_SLA = 0.03
START_LAG_P99_FLOOR_S = 0.1


def _whereabouts(file: FileHistory) -> str:
    """Where a file was seen last, and the ids to look it up by."""
    ids = []
    if file.attempts:
        attempt = file.attempts[-1]
        if attempt.message_id:
            ids.append(f"message {attempt.message_id}")
        ids.append(f"request {attempt.request_id} ({attempt.error or attempt.status})")
    return f"last seen {file.last_stage}" + (f" [{', '.join(ids)}]" if ids else "")


def nothing_lost() -> Check:
    """Every record that was delivered is in its final table, or in a file on a dead letter queue.

    What a run that did not drain in time leaves staged or queued is not lost, and no pass either.
    """

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if unknown := accounting_missing(evidence):
            return unknown
        waiting = on_the_way(evidence)
        lost = [
            f"{file.key}: {file.accounted.missing:,} of {file.accounted.expected:,} records are not in the final table"
            + (f", {file.accounted.in_stage:,} of them still staged" if file.accounted.in_stage else "")
            + f"; {_whereabouts(file)}"
            for file in evidence.delivered
            if file.accounted and file.accounted.missing and file.dead_letter is None and file.key not in waiting
        ]
        if lost:
            return Verdict.FAIL, f"{count_of_files(len(lost))} lost records: {named(lost)}"
        if waiting:
            listed = named(f"{file.key}, {_whereabouts(file)}" for file in evidence.delivered if file.key in waiting)
            return (
                Verdict.INCONCLUSIVE,
                f"{count_of_files(len(waiting))} still on their way when the time to drain was over, so nobody knows "
                f"whether they would have been lost: {listed}",
            )
        records = sum(file.accounted.merged for file in evidence.delivered if file.accounted)
        return Verdict.PASS, f"all {records:,} records of {len(evidence.delivered):,} delivered files are accounted for"

    return Check("nothing_lost", judge)


def nothing_doubled() -> Check:
    """No record is in its final table twice."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if unknown := accounting_missing(evidence):
            return unknown
        doubled = [
            f"{file.key}: {file.accounted.duplicated:,} records more than once"
            for file in evidence.files
            if file.accounted and file.accounted.duplicated
        ]
        if doubled:
            return (
                Verdict.FAIL,
                f"{count_of_files(len(doubled))} with records in the final table twice: {named(doubled)}",
            )
        return Verdict.PASS, "no record is in a final table twice"

    return Check("nothing_doubled", judge)


def nothing_altered() -> Check:
    """Every record in a final table has the content that was delivered."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if unknown := accounting_missing(evidence):
            return unknown
        altered = [
            f"{file.key}: {file.accounted.altered:,} records differ from what was delivered"
            for file in evidence.files
            if file.accounted and file.accounted.altered
        ]
        if altered:
            return Verdict.FAIL, f"{count_of_files(len(altered))} changed on the way: {named(altered)}"
        return Verdict.PASS, "every record has the checksum it was delivered with"

    return Check("nothing_altered", judge)


def nothing_unexpected() -> Check:
    """The final tables hold nothing that was not delivered."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if unknown := accounting_missing(evidence):
            return unknown
        unexpected = [
            f"{name}: {totals['unexpected']:,} rows of no delivered record, such as from {totals['unexpected_from']}"
            for name, totals in evidence.history.type_totals.items()
            if totals["unexpected"]
        ]
        if unexpected:
            return Verdict.FAIL, f"final tables hold what nobody delivered: {named(unexpected)}"
        foreign = [
            f"{name}: {totals['foreign']:,} rows whose source_file names no delivered file, such as "
            f"{totals['foreign_from']}"
            for name, totals in evidence.history.type_totals.items()
            if totals.get("foreign")
        ]
        if foreign:
            return Verdict.FAIL, f"final tables hold rows that cannot be traced: {named(foreign)}"
        return Verdict.PASS, "the final tables hold nothing that was not delivered"

    return Check("nothing_unexpected", judge)


def end_to_end() -> Check:
    """Every delivered file is queryable in its final table within the SLA, counted from its intended time."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        sla_s = evidence.facts.sla_s
        # A file that somebody mended later was never delivered as it should have been: no SLA counts for it.
        files = [
            file
            for file in evidence.delivered
            if file.dead_letter is None and not file.is_reject and not file.is_mended
        ]
        if not files:
            return Verdict.INCONCLUSIVE, "no file was delivered"
        late = [file for file in files if file.end_to_end_s is not None and file.end_to_end_s > sla_s]
        unmerged = [file for file in files if file.end_to_end_s is None and not file.is_superseded]
        own_fault = [file for file in late if (file.end_to_end_s or 0) - (file.start_lag_s or 0) <= sla_s]
        worst = max((file.end_to_end_s for file in files if file.end_to_end_s is not None), default=None)
        if len(late) > len(own_fault):
            listed = named(f"{file.key} took {file.end_to_end_s:.1f} s" for file in late if file not in own_fault)
            return Verdict.FAIL, f"{len(late)} of {len(files)} files missed the SLA of {sla_s:g} s: {listed}"
        if unmerged and evidence.history.drained is False:
            listed = named(f"{file.key}, {_whereabouts(file)}" for file in unmerged)
            return (
                Verdict.FAIL,
                f"{count_of_files(len(unmerged))} not queryable when the time to drain was over: {listed}",
            )
        if unmerged:
            return Verdict.INCONCLUSIVE, f"{len(unmerged)} of {len(files)} files were not seen in a final table"
        if own_fault:
            return (
                Verdict.INCONCLUSIVE,
                f"{count_of_files(len(own_fault))} late only because the harness began them late",
            )
        return Verdict.PASS, f"the slowest of {len(files)} files took {worst:.1f} s of {sla_s:g} s"

    return Check("end_to_end", judge)


def drained() -> Check:
    """Queues and stage tables were empty again in time after the last arrival."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        history = evidence.history
        if history.drained is None or history.drain_s is None:
            return Verdict.INCONCLUSIVE, "the run ended before it could drain"
        limit_s = evidence.facts.drain_within_s
        if not history.drained:
            left = [file for file in evidence.delivered if not file.is_settled]
            if not left:
                return Verdict.FAIL, f"messages were still on the queues {limit_s:g} s after the last arrival"
            listed = named(f"{file.key}, {_whereabouts(file)}" for file in left)
            return (
                Verdict.FAIL,
                f"{count_of_files(len(left))} still on their way {limit_s:g} s after the last arrival: {listed}",
            )
        rows_left = [
            f"{file.key}: {file.accounted.in_stage:,} rows"
            for file in evidence.files
            if file.accounted and file.accounted.in_stage and _was_there_to_merge(file, history)
        ]
        if rows_left:
            return (
                Verdict.FAIL,
                f"rows were left in the stage tables after their files were merged: {named(rows_left)}",
            )
        return Verdict.PASS, f"drained {history.drain_s:.1f} s after the last arrival, {limit_s:g} s were allowed"

    return Check("drained", judge)


def _was_there_to_merge(file: FileHistory, history: History) -> bool:
    """Whether all its deliveries had ended when the last merge began: a late one is for a merge that never came."""
    return bool(history.merges) and all(attempt.end_s <= history.merges[-1].started_s for attempt in file.attempts)


def dead_letters() -> Check:
    """The dead letter queues hold exactly what the scenario made to be refused, each file on its own type's queue and
    after as many receives as its queue allows; nothing, for most scenarios."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if evidence.history.drained is None:
            return Verdict.INCONCLUSIVE, "the dead letter queues were not read"
        history = evidence.history
        rejects = {file.key: file for file in evidence.delivered if file.is_reject}
        unexpected = [event for event in history.dead_letters if not event["keys"] or set(event["keys"]) - set(rejects)]
        if unexpected:
            listed = named(f"{', '.join(one['keys']) or one['message_id']} ({one['reason']})" for one in unexpected)
            expected = "only rejects were" if rejects else "none was"
            return Verdict.FAIL, f"{len(unexpected)} on dead letter queues, {expected} expected: {listed}"
        missing = [f"{file.key}, {_whereabouts(file)}" for file in rejects.values() if file.dead_letter is None]
        if missing:
            return (
                Verdict.FAIL,
                f"{count_of_files(len(missing))} to refuse did not reach a dead letter queue: {named(missing)}",
            )
        wrong = [wrong for file in rejects.values() if (wrong := _wrongly_refused(file, history))]
        if wrong:
            return Verdict.FAIL, f"dead letters that are not as they should be: {named(wrong)}"
        if rejects:
            return Verdict.PASS, f"exactly the {count_of_files(len(rejects))} to refuse are on their dead letter queues"
        if evidence.facts.design == "batch":
            return Verdict.PASS, "this design has no dead letter queue, and nothing was made to be refused"
        return Verdict.PASS, "the dead letter queues are empty, as expected"

    return Check("dead_letters", judge)


def _wrongly_refused(file: FileHistory, history: History) -> str | None:
    if file.dead_letter is not None and file.dead_letter["type"] != file.type:
        return f"{file.key} is on the dead letter queue of {file.dead_letter['type']}"
    receives = max((attempt.receive_count for attempt in file.attempts), default=0)
    allowed = history.max_receive_count.get(file.type, receives)
    return f"{file.key} was received {receives} times, not {allowed}" if receives != allowed else None


def faults_took_effect() -> Check:
    """Every fault of the scenario was injected, did something, and was healed; without that the run shows nothing."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        history = evidence.history
        injected = [event["name"] for event in history.faults if event["action"] == "inject"]
        healed = {event["name"]: event.get("effect") for event in history.faults if event["action"] == "heal"}
        for name in history.faults_planned:
            if name not in injected:
                return Verdict.INCONCLUSIVE, f"{name}: was never injected"
            if name not in healed:
                return Verdict.INCONCLUSIVE, f"{name}: was not healed"
            if healed[name] is None:
                return Verdict.INCONCLUSIVE, f"{name}: took no effect"
        if not history.faults_planned:
            return Verdict.PASS, "no fault was to be injected"
        return Verdict.PASS, "; ".join(f"{name}: {effect}" for name, effect in healed.items())

    return Check("faults", judge)


def _turned_up(file: FileHistory) -> bool:
    """Whether an upload whose outcome was unknown had delivered the file after all."""
    return file.upload_outcome == "unknown" and file.last_stage not in ("planned", "made")


def offered_rate_held() -> Check:
    """The harness itself did what it promised: every file offered, and on time."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        files = evidence.files
        not_offered = [file for file in files if file.acknowledged_s is None and not _turned_up(file)]
        lags = [file.start_lag_s for file in files if file.start_lag_s is not None]
        if not files or not lags:
            return Verdict.INCONCLUSIVE, "no file was offered"
        if not_offered:
            listed = named(f"{file.key}: {file.not_uploaded or 'not offered'}" for file in not_offered)
            return Verdict.INCONCLUSIVE, f"{len(not_offered)} of {len(files)} files were not delivered: {listed}"
        limit_s = max(START_LAG_P99_FLOOR_S, evidence.facts.sla_s * START_LAG_P99_SHARE_OF_SLA)
        p99_s = percentile(lags, 99)
        if p99_s > limit_s:
            return (
                Verdict.INCONCLUSIVE,
                f"uploads began {p99_s * 1000:.0f} ms late at p99, more than {limit_s * 1000:.0f} ms",
            )
        return Verdict.PASS, f"all {len(files)} files were offered on time: {p99_s * 1000:.1f} ms late at p99"

    return Check("offered_rate_held", judge)


def outage_in_words(outage: Event) -> str:
    """`redshift was away for 4.2 s from 12:00:01 UTC (connection refused)`; parts are looked at every two seconds."""
    from_time = time.strftime("%H:%M:%S", time.gmtime(outage["from_s"]))
    for_s = outage["to_s"] - outage["from_s"]
    return f"{outage['part']} was away for {for_s:.1f} s from {from_time} UTC ({outage['error']})"


def run_complete() -> Check:
    """The ledger is whole, the run went to its end, nothing of the harness died on the way, and functions had the CPU
    they needed."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if evidence.ledger_defects:
            return Verdict.INCONCLUSIVE, f"the ledger is not whole: {named(evidence.ledger_defects)}"
        if evidence.history.interrupted:
            return Verdict.INCONCLUSIVE, "the run was interrupted"
        if evidence.history.problems:
            return Verdict.INCONCLUSIVE, f"the harness had trouble: {named(evidence.history.problems)}"
        if starved := starvation(evidence):
            return Verdict.INCONCLUSIVE, starved
        if evidence.history.outages:
            return Verdict.INCONCLUSIVE, f"unplanned: {named(map(outage_in_words, evidence.history.outages))}"
        return Verdict.PASS, "the ledger is whole and no probe died"

    return Check("run_complete", judge)


def default_checks() -> tuple[Check, ...]:
    """What every run must show unless its scenario says otherwise."""
    return (
        nothing_lost(),
        nothing_doubled(),
        nothing_altered(),
        nothing_unexpected(),
        lineage(),
        functions_end_well(),
        end_to_end(),
        drained(),
        dead_letters(),
        faults_took_effect(),
        offered_rate_held(),
        run_complete(),
    )

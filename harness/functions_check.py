"""The promise that functions end by themselves when nothing was made to go wrong.

In: `Evidence`. Out: a `Check`. A retry puts most things right, so a function that hangs, crashes or runs out of memory
now and then loses nothing in a short run; under production's load it is what breaks first.
"""

from harness.evidence import Check, Evidence, Verdict, named
from harness.ledger import Event

# An error that the function raised or answered is not among them: to refuse and be asked again is its right.
ENDED_FROM_OUTSIDE = {
    "timeout": "reached its timeout",
    "crash": "ended before it answered",
    "init_error": "could not be started",
}


def functions_end_well() -> Check:
    """No invocation times out, crashes, runs out of memory or fails to start but by the scenario's faults or files."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        history = evidence.history
        if evidence.facts.design == "batch":
            return Verdict.PASS, "this design has no functions"
        if not history.invocations:
            return Verdict.INCONCLUSIVE, "no invocation was recorded"
        if history.faults_planned:
            return Verdict.PASS, "the scenario's faults may end functions"
        rejects = {file.key for file in evidence.files if file.is_reject}
        ended = [event for event in history.invocations if _was_ended(event, rejects)]
        if ended:
            said = named(
                f"{event['function']} {ENDED_FROM_OUTSIDE[event['status']]} [request {event['request_id']} "
                f"({event['error_type'] or event['status']})]"
                for event in ended
            )
            return (
                Verdict.FAIL,
                f"{len(ended)} of {len(history.invocations)} invocations were ended though nothing was made to go "
                f"wrong: {said}",
            )
        return Verdict.PASS, f"all {len(history.invocations):,} invocations ended by themselves"

    return Check("functions", judge)


def _was_ended(event: Event, rejects: set[str]) -> bool:
    keys = {key for message in event["messages"] for key in message["keys"]}
    return event["status"] in ENDED_FROM_OUTSIDE and not keys & rejects

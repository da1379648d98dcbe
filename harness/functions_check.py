"""The promises that functions end by themselves when nothing was made to go wrong, and do not grow.

In: `Evidence`. Out: a `Check` each. A retry puts most things right, so a function that hangs, crashes or runs out of
memory now and then loses nothing in a short run; under production's load it is what breaks first.
"""

from collections import defaultdict
from statistics import median

from harness.evidence import Check, Evidence, Verdict, named
from harness.ledger import Event

# An error that the function raised or answered is not among them: to refuse and be asked again is its right.
ENDED_FROM_OUTSIDE = {
    "timeout": "reached its timeout",
    "crash": "ended before it answered",
    "init_error": "could not be started",
}
# An environment is judged by the later three quarters of its invocations, in three parts: in a leak each part takes
# this share of the function's memory more than the one before, while allocators and caches level off.
INVOCATIONS_MIN = 20
GROWTH_SHARE_MIN = 0.015


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


def memory_levels_off() -> Check:
    """No execution environment takes more memory with every invocation."""

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        environments: dict[str, list[Event]] = defaultdict(list)
        for event in evidence.history.invocations:
            environments[event["environment_id"]].append(event)
        long_lived = [events for events in environments.values() if len(events) >= INVOCATIONS_MIN]
        if not long_lived:
            return Verdict.INCONCLUSIVE, f"no execution environment had {INVOCATIONS_MIN} invocations"
        growing = [said for events in long_lived if (said := _growth(events, evidence))]
        if growing:
            return (
                Verdict.FAIL,
                f"{len(growing)} of {len(long_lived)} environments take more and more: {named(growing)}",
            )
        return Verdict.PASS, f"the memory of {len(long_lived)} environments levelled off"

    return Check("memory", judge)


def _growth(events: list[Event], evidence: Evidence) -> str | None:
    ordered = sorted(events, key=lambda event: float(event["start_s"]))
    later = ordered[len(ordered) // 4 :]
    third = len(later) // 3
    parts = [later[:third], later[third : 2 * third], later[-third:]]
    first, second, last = (median(event["max_memory_mb"] for event in part) for part in parts)
    function = ordered[0]["function"]
    limit_mb = evidence.history.functions[function]["memory_mb"]
    if min(second - first, last - second) < GROWTH_SHARE_MIN * limit_mb:
        return None
    each_mb = (last - first) / (len(later) - third)
    return (
        f"{function} takes {each_mb:.1f} MB more with every invocation, {ordered[-1]['max_memory_mb']:g} MB after "
        f"{len(ordered)}; it has {limit_mb:g} MB"
    )

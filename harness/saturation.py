"""What was saturated in a run that did not hold its rate.

In: the evidence of a run and the concurrency that each type is allowed. Out: one sentence, which names the offered
load, the merge, the warehouse's lock, the functions' concurrency or the queue. The first that is at its limit, seen
from the load on, is named; each rests on Little's law: work that is under way at once is its rate times its duration.
"""

from collections.abc import Iterable

from harness.checks import Evidence, Verdict, offered_rate_held
from harness.history import FileHistory

# Time averages over a whole run, its beginning and end included, do not reach the limit itself.
BUSY = 0.75
# COPYs of one table at once, on average: one has the lock, the others wait for it.
COPIES_AT_ONCE = 1.5


def saturated(evidence: Evidence, concurrency: dict[str, int | None]) -> str:
    """A sentence for people."""
    offered = offered_rate_held()(evidence)
    if offered.verdict is not Verdict.PASS:
        return f"offered load: {offered.detail}"
    every_s = evidence.facts.merge_every_s
    longest_s = max((merge.ended_s - merge.started_s for merge in evidence.history.merges), default=0.0)
    if longest_s >= every_s:
        return f"merge: it took {longest_s:.1f} s, and is due every {every_s:g} s"
    for name in evidence.facts.types:
        files = [file for file in evidence.delivered if file.type == name]
        copies = at_once(files, (file.phase_ms.get("copy", 0.0) / 1000 for file in files))
        if copies >= COPIES_AT_ONCE:
            return (
                f"warehouse lock: {copies:.1f} COPYs into the stage table of {name} at once, and one can have its lock"
            )
    for name in evidence.facts.types:
        files, limit = [file for file in evidence.delivered if file.type == name], concurrency.get(name)
        busy = at_once(files, (attempt.end_s - attempt.start_s for file in files for attempt in file.attempts))
        if limit and busy >= BUSY * limit:
            return f"function concurrency: {busy:.1f} of {limit} invocations of {name} at once, on average"
    waits_s = [wait_s for file in evidence.delivered if (wait_s := file.stage_latencies_s().get("queue")) is not None]
    longest_wait_s = max(waits_s, default=0.0)
    return f"queue: files waited up to {longest_wait_s:.1f} s although functions, lock and merge had time to spare"


def at_once(files: list[FileHistory], work_s: Iterable[float]) -> float:
    """How much of this work was under way at once while these files were worked on, on average."""
    starts = [attempt.start_s for file in files for attempt in file.attempts]
    ends = [attempt.end_s for file in files for attempt in file.attempts]
    span_s = max(ends, default=0.0) - min(starts, default=0.0)
    return sum(work_s) / span_s if span_s > 0 else 0.0

"""Who kept files waiting: whether any invocation ran while they were queued, and who held the lock COPY waited for.

In: the evidence of a run, and the breakdowns of the files that waited. Out: shares of their waits. What nobody saw
stays unexplained: that the lock was held by neither the loads nor the merge job says that somebody else held it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from harness.checks import Evidence
from harness.report.breakdown import Breakdown

Interval = tuple[float, float]
# Lambda gives the init phase so long, and then runs it again inside the invocation ("suppressed init").
INIT_LIMIT_S = 10.0


@dataclass(frozen=True)
class LockHolders:
    """Of the time for which COPYs waited for their table's lock: the share in which other loads into the same table had
    it, and that of the merge job. `load_s` is how long a load usually keeps it."""

    loads: float
    merges: float
    load_s: float


def idle_share(evidence: Evidence, waiting: Sequence[Breakdown]) -> float:
    """The share of their time on the queue in which no invocation of their function ran or began, 0 to 1."""
    ran: dict[str, list[Interval]] = {}
    for event in evidence.history.invocations:
        init_s = event["init_ms"] / 1000 if event.get("init_ms") else INIT_LIMIT_S if event["cold"] else 0.0
        ran.setdefault(event["function"], []).append((event["start_s"] - init_s, event["end_s"]))
    shares = []
    for one in waiting:
        taken, sent_s = one.file.success, one.file.sent_s
        if taken is None or sent_s is None or (first_s := min(at.start_s for at in one.file.attempts)) <= sent_s:
            continue
        shares.append(1 - _covered((sent_s, first_s), ran[taken.function]))
    return fmean(shares) if shares else 0.0


def lock_holders(evidence: Evidence, waiting: Sequence[Breakdown]) -> LockHolders | None:
    """Who had the locks for which these files' COPYs waited; None when none of them is known to have waited."""
    loads: dict[str, list[tuple[int, Interval]]] = {}
    for file in evidence.files:
        if file.committed_s is not None and "copy" in file.phase_ms:
            held = (file.committed_s - file.phase_ms["copy"] / 1000, file.committed_s)
            loads.setdefault(file.type, []).append((file.index, held))
    merges: dict[str, list[Interval]] = {}
    for merge in evidence.history.merges:
        for entry in merge.types:
            end_s = entry["committed_s"] or merge.ended_s
            merges.setdefault(entry["type"], []).append((entry["started_s"], end_s))
    by_loads, by_merges, load_s = list[float](), list[float](), list[float]()
    for one in waiting:
        file, waited_s = one.file, one.parts_s.get("phase:lock_wait", 0.0)
        if file.committed_s is None or waited_s <= 0:
            continue
        got_s = file.committed_s - file.phase_ms.get("copy", 0.0) / 1000
        wait = (got_s - waited_s, got_s)
        mine = loads.get(file.type, [])
        by_loads.append(_covered(wait, [held for index, held in mine if index != file.index]))
        by_merges.append(_covered(wait, merges.get(file.type, [])))
        load_s += [held[1] - held[0] for _, held in mine]
    if not by_loads:
        return None
    return LockHolders(fmean(by_loads), fmean(by_merges), median(load_s))


def _covered(wait: Interval, others: Iterable[Interval]) -> float:
    """The share of an interval that is covered by others, which may overlap."""
    from_s, to_s = wait
    at_s, covered_s = from_s, 0.0
    for begin_s, end_s in sorted(others):
        begin_s, end_s = max(begin_s, at_s), min(end_s, to_s)
        if end_s > begin_s:
            covered_s += end_s - begin_s
            at_s = end_s
    return covered_s / (to_s - from_s) if to_s > from_s else 0.0

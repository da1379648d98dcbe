"""Which part of their way made files late, and what stood before them when it was the queue.

In: the evidence of a run. Out: comparisons of the late files with the others. The part that is named is the one whose
time differs most from that of the files that were in time; when that difference does not explain how late they were,
because the others were as slow, the part that took most. Waiting for a merge that is due within its interval is how
the pipeline is built, and nobody's fault. A queue is never a cause of its own: it grows when the invocations before it
are slow, or too few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from harness.checks import Evidence
from harness.report import breakdown, series
from harness.report.breakdown import Breakdown
from harness.report.waits import idle_share

# An invocation is held up when it takes this many times as long as the median one.
HELD_UP_FACTOR = 2.0
# They are to blame for the wait when what they took longer than usual is so much of what all invocations ahead took;
# one cold start among many slow invocations is not.
HELD_UP_SHARE = 0.5
# Nobody ran when late files waited for so much of their time on the queue without any invocation of their function.
IDLE_SHARE = 0.5


@dataclass(frozen=True)
class Excess:
    """A part that took longer than usual, in seconds; `usual_s` is None where there is nothing to compare with."""

    part: str
    took_s: float
    usual_s: float | None


@dataclass(frozen=True)
class Late:
    """The files that missed the SLA, and the part of their way that differs most from the others'."""

    files: Sequence[Breakdown]
    excess: Excess


@dataclass(frozen=True)
class HeldUp:
    """Invocations that were held up while late files waited; `excess` is None when there were none.

    `usual_part` is what an invocation usually spends most of its `usual_s` in.
    """

    invocations: int
    excess: Excess | None
    usual_s: float
    usual_part: str
    at_once: int


def late_files(evidence: Evidence) -> Late | None:
    """None when no file that was seen in a final table was late."""
    breakdowns = breakdown.of_run(evidence.history)
    late = [one for one in breakdowns if (one.file.end_to_end_s or 0.0) > evidence.facts.sla_s]
    if not late:
        return None
    in_time = breakdowns[: len(breakdowns) - len(late)]
    every_s = evidence.facts.merge_every_s
    avoidable, usual = ([Breakdown(one.file, _avoidable(one, every_s)) for one in some] for some in (late, in_time))
    excess = _excess(avoidable, usual)
    late_by_s = fmean((one.file.end_to_end_s or 0.0) - evidence.facts.sla_s for one in late)
    if not in_time or excess.took_s - (excess.usual_s or 0.0) < late_by_s:
        took_s = breakdown.mean(avoidable)
        part = max(took_s, key=took_s.__getitem__)
        excess = Excess(part, took_s[part], None)
    return Late(late, excess)


def _avoidable(one: Breakdown, merge_every_s: float) -> dict[str, float]:
    """The parts without the wait for a merge that is due within its interval."""
    parts_s = dict(one.parts_s)
    parts_s["merge_wait"] = max(0.0, parts_s.get("merge_wait", 0.0) - merge_every_s)
    return parts_s


def nobody_ran(evidence: Evidence, late: Late) -> bool:
    """Whether late files waited on their queues while their functions stood idle: then no invocation is to blame."""
    return idle_share(evidence, late.files) > IDLE_SHARE


def held_up_ahead(evidence: Evidence, late: Late) -> HeldUp:
    """What ran while the late files waited on their queues."""
    breakdowns = [one for one in breakdown.of_run(evidence.history) if one.file.success is not None]
    usual_s = median(_invocation_s(one) for one in breakdowns)
    held_up_s = usual_s * HELD_UP_FACTOR
    slow = [one for one in breakdowns if _invocation_s(one) > held_up_s]
    every = [one for one in breakdowns if any(_ran_while_waiting(one, waiting) for waiting in late.files)]
    ahead = [one for one in slow if one in every]
    longer_s = sum(_invocation_s(one) - usual_s for one in ahead)
    took_s = breakdown.mean([Breakdown(one.file, _service(one)) for one in breakdowns])
    usual_part = max(took_s, key=took_s.__getitem__)
    _, at_once = series.at_once((event["start_s"], event["end_s"]) for event in evidence.history.invocations)
    if not ahead or longer_s < HELD_UP_SHARE * sum(_invocation_s(one) for one in every):
        return HeldUp(0, None, usual_s, usual_part, int(max(at_once)))
    service = [Breakdown(one.file, _service(one)) for one in ahead]
    others = [Breakdown(one.file, _service(one)) for one in breakdowns if _invocation_s(one) <= held_up_s]
    return HeldUp(len(ahead), _excess(service, others), usual_s, usual_part, int(max(at_once)))


def _excess(these: Sequence[Breakdown], others: Sequence[Breakdown]) -> Excess:
    took_s = breakdown.mean(these)
    usual_s = {part: median(one.parts_s.get(part, 0.0) for one in others) if others else 0.0 for part in took_s}
    part = max(took_s, key=lambda part: took_s[part] - usual_s[part])
    return Excess(part, took_s[part], usual_s[part])


def _service(one: Breakdown) -> dict[str, float]:
    return {
        part: part_s
        for part, part_s in one.parts_s.items()
        if part in ("cold_start", "init_again", "handler_rest") or part.startswith("phase:")
    }


def _invocation_s(one: Breakdown) -> float:
    """How long it kept its environment busy, the start of which included."""
    return sum(_service(one).values())


def _ran_while_waiting(one: Breakdown, waiting: Breakdown) -> bool:
    ran, taken, sent_s = one.file.success, waiting.file.success, waiting.file.sent_s
    if ran is None or taken is None or sent_s is None or one.file.type != waiting.file.type:
        return False
    began_s = ran.start_s - one.parts_s.get("cold_start", 0.0)
    return began_s < taken.start_s and ran.end_s > sent_s

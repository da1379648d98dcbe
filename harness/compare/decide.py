"""The decision: same, better, worse, or too noisy to tell; metric by metric, and in all.

In: measured runs of both sides. Out: a `Comparison`. Counts are exact: any rise convicts. A metric convicts when it
rose by more than matters and by more than noise explains. It acquits only when a slowdown that a gate exists to catch
can be ruled out; what was not measured never acquits.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from harness.checks import Verdict
from harness.compare import noise
from harness.compare.measure import METRICS, Measured, Metric
from harness.errors import ExitCode, UsageError
from harness.run_directory import RunFacts

# The chance that a comparison of equals convicts, over all its metrics together.
FALSE_ALARM = 0.01
# A change of less than this is not worth stopping for, however sure.
MATTERS = 0.10
# "Same" says that a change as large as this would have shown, with this confidence.
WOULD_SHOW = 0.20
CONFIDENCE = 0.95
RUNS_MIN = 3
SAME_IN_ALL = (
    "scenario", "pipeline", "types", "time_scale", "sla_s", "merge_every_s", "duration_s", "files_scheduled",
    "records_scheduled", "stack",
)  # fmt: skip
MACHINE = ("cpus", "memory_gib", "architecture")


class Outcome(StrEnum):
    """Of a metric or of all; `missing` and `too_noisy` cannot tell."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    TOO_NOISY = "too_noisy"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """What was found of one count or metric. Figures are one a run; `ratio` is None for counts and where none is."""

    name: str
    unit: str
    outcome: Outcome
    decisive: bool
    detail: str
    base: tuple[float | None, ...]
    head: tuple[float | None, ...]
    ratio: noise.Ratio | None = None
    p_corrected: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The whole. `notes` say what a reader should know before trusting it."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    base: tuple[Measured, ...]
    head: tuple[Measured, ...]

    @property
    def exit_code(self) -> ExitCode:
        match self.outcome:
            case Outcome.SAME | Outcome.BETTER:
                return ExitCode.PASS
            case Outcome.WORSE:
                return ExitCode.FAIL
        return ExitCode.INCONCLUSIVE


def compare(base: Sequence[Measured], head: Sequence[Measured]) -> Comparison:
    """Compare what was measured.

    Raises:
        UsageError: a side has no run, a run is there twice, or runs are not of the same scenario at the same load.
    """
    _check_comparable(base, head)
    findings = (*_verdicts(base, head), *_counts(base, head), *_metrics(base, head))
    notes = tuple(_notes(base, head))
    return Comparison(_overall(findings), findings, notes, tuple(base), tuple(head))


def _check_comparable(base: Sequence[Measured], head: Sequence[Measured]) -> None:
    if not base or not head:
        raise UsageError("a comparison needs at least one run of each side")
    runs = [*base, *head]
    for one in runs:
        if sum(one.path == other.path for other in runs) > 1:
            raise UsageError(f"{one.path}: the same run is there twice; a run can be evidence once")
    first = base[0]
    for one in runs:
        for name in SAME_IN_ALL:
            expected, found = getattr(first.facts, name), getattr(one.facts, name)
            if expected != found:
                raise UsageError(
                    f"{one.path}: {name} is {found}, but {expected} in {first.path}: compare runs of the same "
                    "scenario with the same options"
                )


def _verdicts(base: Sequence[Measured], head: Sequence[Measured]) -> Iterator[Finding]:
    """Runs that failed count exactly, and runs that cannot tell are no evidence."""
    failed_before, failed = (
        tuple(float(one.verdict is Verdict.FAIL and not one.late) for one in side) for side in (base, head)
    )
    yield _count("runs that failed", failed_before, failed, by_share=True)
    yield _late(*(tuple(float(one.late) for one in side) for side in (base, head)))
    unusable = [one for one in (*base, *head) if one.problem is not None]
    if unusable:
        told = "; ".join(f"{one.run}: {one.problem}" for one in unusable)
        yield Finding("runs that can be judged", "", Outcome.MISSING, True, told, (), ())


def _late(base: tuple[float, ...], head: tuple[float, ...]) -> Finding:
    """Runs that only missed their times: a busy machine makes some, so this is no exact count."""
    before, after = sum(base) / len(base), sum(head) / len(head)
    p = noise.fisher(round(sum(base)), len(base), round(sum(head)), len(head))
    outcome = Outcome.WORSE if p <= FALSE_ALARM else Outcome.TOO_NOISY if after > before else Outcome.SAME
    told = f"{sum(base):.0f} of {len(base)} before, {sum(head):.0f} of {len(head)} now"
    return Finding("runs that were late", "", outcome, True, told, base, head, p_corrected=p)


def _counts(base: Sequence[Measured], head: Sequence[Measured]) -> Iterator[Finding]:
    for name in base[0].counts:
        before, after = (tuple(float(one.counts[name]) for one in side) for side in (base, head))
        yield _count(name, before, after)


def _count(name: str, base: tuple[float, ...], head: tuple[float, ...], by_share: bool = False) -> Finding:
    """A count is worse as soon as one head run has more than every base run."""
    before, after = (sum(base) / len(base), sum(head) / len(head)) if by_share else (max(base), max(head))
    outcome = Outcome.WORSE if after > before else Outcome.BETTER if after < before else Outcome.SAME
    if by_share:
        detail = f"{sum(base):.0f} of {len(base)} before, {sum(head):.0f} of {len(head)} now"
    else:
        detail = f"at most {before:,.0f} before, {after:,.0f} now"
    return Finding(name, "", outcome, True, detail, base, head)


def _metrics(base: Sequence[Measured], head: Sequence[Measured]) -> list[Finding]:
    known = {name for one in (*base, *head) for name in one.metrics}
    asked = [metric for metric in METRICS if metric.name in known]
    ratios = [_ratio(metric, base, head) for metric in asked]
    judged = [index for index, one in enumerate(ratios) if one is not None]
    worse = dict(zip(judged, noise.holm([_p(asked[i], ratios[i], worse=True) for i in judged]), strict=True))
    better = dict(zip(judged, noise.holm([_p(asked[i], ratios[i], worse=False) for i in judged]), strict=True))
    return [
        _metric(metric, base, head, one, worse.get(index), better.get(index))
        for index, (metric, one) in enumerate(zip(asked, ratios, strict=True))
        if metric.decisive or any(run.metrics.get(metric.name) is not None for run in (*base, *head))
    ]


def _values(metric: Metric, side: Sequence[Measured]) -> tuple[float | None, ...]:
    return tuple(one.metrics.get(metric.name) for one in side)


def _ratio(metric: Metric, base: Sequence[Measured], head: Sequence[Measured]) -> noise.Ratio | None:
    # what is measured as 0 took less than the clock shows; a tenth of what anyone cares for stands for it
    least = metric.floor / 10 or 1e-9
    before, after = (
        [max(value, least) for value in _values(metric, side) if value is not None] for side in (base, head)
    )
    whole = len(before) == len(base) and len(after) == len(head)
    if not whole or min(len(before), len(after)) < RUNS_MIN:
        return None
    return noise.ratio(before, after, CONFIDENCE)


def _p(metric: Metric, found: noise.Ratio | None, worse: bool) -> float:
    assert found is not None  # only of those that were judged
    return found.p_above if worse != metric.higher_is_better else found.p_below


def _metric(
    metric: Metric, base: Sequence[Measured], head: Sequence[Measured], found: noise.Ratio | None,
    p_worse: float | None, p_better: float | None,
) -> Finding:  # fmt: skip
    before, after = _values(metric, base), _values(metric, head)
    if None in before or None in after:
        gone = [one.run for one in (*base, *head) if one.metrics.get(metric.name) is None]
        told = f"not measured in {', '.join(gone[:3])}{' …' if len(gone) > 3 else ''}"
        return Finding(metric.name, metric.unit, Outcome.MISSING, True, told, before, after)
    if found is None or p_worse is None or p_better is None:
        told = f"{RUNS_MIN} runs of each side are needed to know the noise; {len(base)} and {len(head)} were given"
        return Finding(metric.name, metric.unit, Outcome.TOO_NOISY, metric.decisive, told, before, after)
    outcome, detail = _decided(metric, found, _mean(before), p_worse, p_better)
    if outcome is Outcome.TOO_NOISY:
        detail += f"; about {_runs_needed(found, min(len(base), len(head)))} runs of each side would tell"
    p = min(p_worse, p_better)
    return Finding(metric.name, metric.unit, outcome, metric.decisive, detail, before, after, found, p)


def _mean(values: tuple[float | None, ...]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def _decided(metric: Metric, found: noise.Ratio, before: float, p_worse: float, p_better: float) -> tuple[Outcome, str]:
    change = found.value - 1
    told = f"{change:+.1%}, between {found.low - 1:+.1%} and {found.high - 1:+.1%}"
    matters = abs(change) >= MATTERS and abs(change) * before >= metric.floor
    if matters and p_worse <= FALSE_ALARM:
        return Outcome.WORSE, told
    if matters and p_better <= FALSE_ALARM:
        return Outcome.BETTER, told
    # how much worse it could be, as a share of before
    hidden = (1 / found.low if metric.higher_is_better else found.high) - 1
    if hidden < WOULD_SHOW or hidden * before < metric.floor:
        return Outcome.SAME, told
    return Outcome.TOO_NOISY, f"{told}: {WOULD_SHOW:.0%} worse could hide in this noise"


def _runs_needed(found: noise.Ratio, runs: int) -> int:
    """How many runs of each side would bring the bounds as close to the ratio as they have to be."""
    reach = math.log(found.high / found.value)
    return max(runs + 1, math.ceil(runs * (reach / math.log(1 + WOULD_SHOW)) ** 2))


def _overall(findings: Sequence[Finding]) -> Outcome:
    decisive = {finding.outcome for finding in findings if finding.decisive}
    if any(finding.outcome is Outcome.WORSE for finding in findings):
        return Outcome.WORSE
    for outcome in (Outcome.MISSING, Outcome.TOO_NOISY):
        if outcome in decisive:
            return Outcome.TOO_NOISY
    return Outcome.BETTER if any(one.outcome is Outcome.BETTER for one in findings) else Outcome.SAME


def _notes(base: Sequence[Measured], head: Sequence[Measured]) -> Iterator[str]:
    if len({_machine(one.facts) for one in (*base, *head)}) > 1:
        yield "The runs are not all of the same kind of machine: what they say of speed may be the machine's."
    if len({one.facts.seed for one in (*base, *head)}) > 1:
        yield "The runs have different seeds, so their files differ."
    if not _interleaved(base, head):
        yield (
            "The runs of the two sides were not made in turns: whatever else changed on the machine between them "
            "counts as a change of the pipeline."
        )
    if any(one.verdict is Verdict.FAIL for one in base):
        yield "Runs of the base failed their own checks."


def _machine(facts: RunFacts) -> tuple[object, ...]:
    return tuple(facts.machine.get(name) for name in MACHINE)


def _interleaved(base: Sequence[Measured], head: Sequence[Measured]) -> bool:
    """Whether, in the order of time, the sides change at least every second run on average."""
    ordered = sorted([(one.facts.started_at, 0) for one in base] + [(one.facts.started_at, 1) for one in head])
    changes = sum(one[1] != following[1] for one, following in pairwise(ordered))
    return changes >= min(len(base), len(head))

"""The two designs side by side, beside what was published: "about a tenth of the cost".

In: the load, both designs' setups, prices. Out: both bills, their ratios, and what it would take to reach a tenth.
"""

from dataclasses import dataclass, replace

from harness.cost import batch, event_driven
from harness.cost.batch import BatchJob
from harness.cost.bill import Bill
from harness.cost.event_driven import Setup
from harness.cost.load import Load
from harness.cost.price_list import Prices

PUBLISHED_RATIO = 0.1
MEMORIES_MB = (512, 1_024, 1_769, 3_008)
BATCHES = (1, 5, 10, 50)
MERGE_INTERVALS_S = (300, 900, 1_800, 3_600)
FULL_CPU_MB = 1_769


@dataclass(frozen=True)
class Comparison:
    """`own` leaves out what both designs have: landing files and the warehouse."""

    new: Bill
    old: Bill
    old_minutes_for_tenth: float
    function_s_for_tenth: float

    @property
    def own_ratio(self) -> float:
        return self.new.own_usd / self.old.own_usd

    @property
    def whole_ratio(self) -> float:
        return self.new.total_usd / self.old.total_usd


def compare(load: Load, setup: Setup, job: BatchJob, prices: Prices, days: float) -> Comparison:
    """Both bills, and the run time of the old job and the function time of the new design that give a tenth.

    Raises:
        UsageError: a price is not known.
    """
    new, old = event_driven.bill(load, setup, prices, days), batch.bill(load, job, setup, prices, days)
    glue_usd_per_min = old.of("Glue") / (max(batch.GLUE_MINIMUM_S, job.run_s) / 60)
    rest_usd = old.own_usd - old.of("Glue")
    duration = next(line for line in new.lines if line.what.startswith("duration"))
    usd_per_s = duration.amount_usd / load.function_s_per_file
    fixed_usd = new.own_usd - duration.amount_usd
    return Comparison(
        new, old,
        old_minutes_for_tenth=(new.own_usd / PUBLISHED_RATIO - rest_usd) / glue_usd_per_min,
        function_s_for_tenth=max(0.0, (old.own_usd * PUBLISHED_RATIO - fixed_usd) / usd_per_s),
    )  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """What another setting would cost a day. `computing_usd` for memory: if all the function's time were CPU time."""

    what: str
    value: str
    usd_per_day: float
    computing_usd: float | None = None


def sensitivity(load: Load, setup: Setup, prices: Prices) -> tuple[Variant, ...]:
    """The event-driven design with other batch sizes, memory sizes and merge intervals, all else being equal.

    Memory: as if the function only waited, so that its time stays, and as if it only computed, so that its time goes
    with its share of a CPU. The truth lies between; `harness tune memory` measures it.
    """

    def usd(changed: Load) -> float:
        return event_driven.bill(changed, setup, prices, 1.0).total_usd

    found = [
        Variant("batch size", f"{size}", usd(replace(load, invocations_per_file=load.messages_per_file / size)))
        for size in BATCHES
    ]
    for memory_mb in MEMORIES_MB:
        waiting = replace(load, memory_mb=memory_mb)
        slower = min(load.memory_mb, FULL_CPU_MB) / min(memory_mb, FULL_CPU_MB)
        computing = replace(waiting, function_s_per_file=load.function_s_per_file * slower)
        found.append(Variant("memory", f"{memory_mb:,} MB", usd(waiting), usd(computing)))
    found += [
        Variant("merge interval", f"{every_s // 60} min", usd(replace(load, merge_every_s=float(every_s))))
        for every_s in MERGE_INTERVALS_S
    ]
    return tuple(found)

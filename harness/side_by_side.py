"""Two designs on the same files: what each of them made of the same schedule.

In: a judgement of each. Out: the figures of one beside those of the other, and what both would cost a month. It reads
nothing but the judgements; what a month costs is a model of `harness.cost`, fed with what the runs have shown.
"""

from dataclasses import asdict, dataclass
from typing import Any

from harness.checks import Verdict
from harness.cost import comparison, price_list
from harness.cost.event_driven import Setup
from harness.cost.measured import billed_ms, load_of
from harness.cost.measured_batch import measured_job
from harness.errors import ExitCode, UsageError
from harness.pipeline import BatchSettings, Pipeline
from harness.statistics import summary
from harness.verdict import EXIT_CODES, Judgement

REGION, DAYS = "us-east-1", 30.0
MODEL = "a model: list prices and Glue's billing rules applied to what was measured on this machine"


@dataclass(frozen=True)
class DesignFigures:
    """One design. `availability_s` counts from the intended upload to queryable; `sla_misses` counts files that took
    longer or never got there. A failed run is one of the function or the batch job."""

    design: str
    pipeline: str
    run: str
    verdict: str
    files: int
    availability_s: dict[str, float] | None
    sla_misses: int
    runs: int
    runs_failed: int
    records_in_failed_runs: int
    records_lost: int
    records_doubled: int
    function_s: float | None
    dpu_s: float | None


def figures_of(judgement: Judgement, run: str) -> DesignFigures:
    """What a design has shown."""
    evidence, history = judgement.evidence, judgement.evidence.history
    records = judgement.to_json()["records"]
    taken = [file.end_to_end_s for file in evidence.delivered if file.end_to_end_s is not None]
    is_batch = evidence.facts.design == "batch"
    failed = [file for file in evidence.delivered if any(not attempt.succeeded for attempt in file.attempts)]
    runs = history.batch_runs if is_batch else history.invocations
    return DesignFigures(
        design="Glue job" if is_batch else "event-driven",
        pipeline=evidence.facts.pipeline,
        run=run,
        verdict=str(judgement.verdict),
        files=len(evidence.delivered),
        availability_s=summary(taken, digits=1),
        sla_misses=sum(missed(file.end_to_end_s, evidence.facts.sla_s) for file in evidence.delivered),
        runs=len(runs),
        runs_failed=sum(one["status"] != "ok" for one in runs),
        records_in_failed_runs=sum(file.records for file in failed),
        records_lost=records["lost"],
        records_doubled=records["duplicated"],
        function_s=None if is_batch else round(sum(billed_ms(one) for one in history.invocations) / 1000, 1),
        dpu_s=round(sum(one["dpu_s"] for one in history.batch_runs), 1) if is_batch else None,
    )


def missed(end_to_end_s: float | None, sla_s: float) -> bool:
    """Whether a file was not queryable in time."""
    return end_to_end_s is None or end_to_end_s > sla_s


@dataclass(frozen=True)
class Cost:
    """A month of both designs at the run's rate: dollars of their own, and with what both have (warehouse, landing
    files). `ratios` are new by old."""

    files_per_min: float
    batch_job: dict[str, Any]
    event_driven_usd: float
    batch_usd: float
    own_ratio: float
    whole_ratio: float
    published_ratio: float = comparison.PUBLISHED_RATIO


def cost(event: Judgement, batch: Judgement, settings: BatchSettings) -> Cost | None:
    """None when no run of the batch job loaded a file, or no function did: then there is nothing to go by.

    Raises:
        UsageError: a price is not known.
    """
    job = measured_job(batch.evidence, every_s=settings.every_s)
    if job is None:
        return None
    try:
        load = load_of(event.evidence)
    except UsageError:
        return None
    found = comparison.compare(load, Setup(), job, price_list.load(REGION), DAYS)
    return Cost(
        round(load.files_per_day / 1440, 1), asdict(job), round(found.new.own_usd, 2), round(found.old.own_usd, 2),
        round(found.own_ratio, 3), round(found.whole_ratio, 3),
    )  # fmt: skip


@dataclass(frozen=True)
class SideBySide:
    """Both designs. `exit_code` is that of the design under test; the other is what it is measured against."""

    event: Judgement
    batch: Judgement
    designs: tuple[DesignFigures, DesignFigures]
    cost: Cost | None

    @property
    def exit_code(self) -> ExitCode:
        """The event-driven design's; inconclusive when the other run cannot tell, and so nothing can be compared."""
        if self.event.verdict is Verdict.PASS and self.batch.verdict is Verdict.INCONCLUSIVE:
            return ExitCode.INCONCLUSIVE
        return EXIT_CODES[self.event.verdict]

    def to_json(self) -> dict[str, Any]:
        """As `side_by_side.json` holds it."""
        facts = self.event.evidence.facts
        return {
            "schema": 1,
            "scenario": facts.scenario,
            "seed": facts.seed,
            "time_scale": facts.time_scale,
            "sla_s": facts.sla_s,
            "files": facts.files_scheduled,
            "records": facts.records_scheduled,
            "machine": facts.machine,
            "designs": [asdict(one) for one in self.designs],
            "cost_model": {"model": MODEL, "region": REGION, "days": DAYS}
            | (
                asdict(self.cost) if self.cost else {"unknown": "a design loaded nothing, so there is nothing to price"}
            ),
        }


def compare(event: Judgement, batch: Judgement, pipeline: Pipeline) -> SideBySide:
    """Put two judged runs of the same schedule side by side; `pipeline` is the batch design's."""
    assert pipeline.batch is not None  # its description has a [batch] section
    designs = (figures_of(event, "event"), figures_of(batch, "batch"))
    return SideBySide(event, batch, designs, cost(event, batch, pipeline.batch))

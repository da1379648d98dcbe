"""The bill of the design that was replaced: a Glue job that loads every half hour what has landed since.

In: the same `Load`, a `BatchJob` whose every figure is an assumption or a measurement that somebody names, and prices.
Out: a `Bill`.
"""

import math
from dataclasses import dataclass

from harness.cost import event_driven
from harness.cost.bill import Bill, Line
from harness.cost.event_driven import SERVERLESS_MINIMUM_S, Setup
from harness.cost.load import SECONDS_PER_DAY, Load
from harness.cost.price_list import Prices

GLUE_MINIMUM_S = 60.0
KEYS_PER_LIST = 1_000
DEFAULT_DPUS = 10.0


@dataclass(frozen=True)
class BatchJob:
    """`dpus` for `run_s` every `every_s`, of which Redshift loads and merges for `load_s`; `origin` is who says so."""

    dpus: float = DEFAULT_DPUS
    run_s: float = 900.0
    every_s: float = 1_800.0
    load_s: float = 120.0
    origin: str = "assumed: Glue's default of 10 DPUs; half of the interval"


def job_of(dpus: float, minutes: float | None) -> BatchJob:
    """The job as somebody gives it."""
    if minutes is None:
        return BatchJob(dpus=dpus, origin=f"assumed: {dpus:g} DPUs (Glue's default is 10); half of the interval")
    return BatchJob(dpus=dpus, run_s=minutes * 60, origin="as given with --batch-dpus and --batch-minutes")


def bill(load: Load, job: BatchJob, setup: Setup, prices: Prices, days: float) -> Bill:
    """What `days` of the load cost.

    Raises:
        UsageError: a price is not known.
    """
    runs = days * SECONDS_PER_DAY / job.every_s
    billed_s = max(GLUE_MINIMUM_S, job.run_s)
    files = load.files_per_day * days
    lists = (
        runs * load.types * math.ceil(load.files_per_day / SECONDS_PER_DAY * job.every_s / load.types / KEYS_PER_LIST)
    )
    lines = [
        Line("Glue", "job runs", runs * job.dpus * billed_s / 3_600, "DPU-hours", prices["glue_dpu_hour"],
             f"{runs:,.0f} runs × {job.dpus:g} DPUs × {billed_s / 60:.4g} min", "glue_dpu_hour"),
        Line("S3", "LIST", lists, "requests", prices["s3_put_list"],
             f"{runs:,.0f} runs, {KEYS_PER_LIST:,} keys a request", "s3_put_list"),
        Line("S3", "GET", files, "requests", prices["s3_get"], f"{files:,.0f} files", "s3_get"),
        *event_driven.landing(load, setup, prices, days),
        *event_driven.warehouse(setup, prices, days, busy_share(job)),
    ]  # fmt: skip
    return Bill("half-hourly Glue job", prices.region, days, tuple(lines))


def busy_share(job: BatchJob) -> float:
    """The share of the time for which a serverless warehouse is paid."""
    return min(1.0, max(SERVERLESS_MINIMUM_S, job.load_s) / job.every_s)

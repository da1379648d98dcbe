"""The half-hourly job as a run of it has shown: how long its runs take, on how many DPUs.

In: the events of a run of the batch design. Out: a `BatchJob`. In a compressed run each job run had fewer files than a
half hour of production brings; its time beyond Spark's start is stretched by that.
"""

from statistics import fmean

from harness.cost.batch import GLUE_MINIMUM_S, BatchJob
from harness.errors import UsageError
from harness.ledger import read
from harness.run_directory import RunDirectory

PRODUCTION_EVERY_S = 1_800.0


def job_in(directory: RunDirectory, files_per_min: float, dpus: float | None = None) -> BatchJob:
    """The job at `files_per_min`; `dpus` instead of those that the run's workers count for.

    Raises:
        UsageError: it is no run of the batch design, or no run of its job succeeded.
    """
    runs = [one for one in read(directory.ledger).events if one["event"] == "batch_run"]
    ended = [one for one in runs if one["status"] == "ok" and any(entry["keys"] for entry in one["types"])]
    if not ended:
        raise UsageError(f"{directory.path}: no run of a batch job that loaded something is in it")
    took_s = fmean(one["ended_s"] - one["started_s"] for one in ended)
    start_s = fmean(one.get("spark_ready_s") or 0.0 for one in ended)
    files = fmean(sum(len(entry["keys"]) for entry in one["types"]) for one in ended)
    stretched_s = start_s + (took_s - start_s) * files_per_min * PRODUCTION_EVERY_S / 60 / files
    shown = fmean(one["dpu_s"] / max(GLUE_MINIMUM_S, one["ended_s"] - one["started_s"]) for one in ended)
    return BatchJob(
        dpus=dpus or shown, run_s=stretched_s, every_s=PRODUCTION_EVERY_S,
        origin=f"from {len(ended)} runs of {files:,.0f} files in {took_s:,.0f} s on this machine, {start_s:,.0f} s of "
        f"them Spark's start; the rest stretched to {files_per_min * PRODUCTION_EVERY_S / 60:,.0f} files",
    )  # fmt: skip

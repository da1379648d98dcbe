"""The half-hourly job as a run of it has shown: how long its runs take, on how many DPUs.

In: the evidence of a run of the batch design. Out: a `BatchJob`. In a compressed run each job run had fewer files than
a half hour of production brings; its time beyond Spark's start goes with the files.
"""

from statistics import fmean

from harness.checks import Evidence
from harness.cost.batch import GLUE_MINIMUM_S, BatchJob
from harness.ledger import Event


def measured_job(
    evidence: Evidence, *, every_s: float | None = None, files_per_min: float | None = None, dpus: float | None = None
) -> BatchJob | None:
    """What a run of the job would take at the true interval; None when no run of it loaded a file.

    `every_s` is the true interval and `files_per_min` the rate, by default the run's own; `dpus` instead of what its
    workers count for.
    """
    facts = evidence.facts
    good = [run for run in evidence.history.batch_runs if run["status"] == "ok" and _files(run)]
    if not good:
        return None
    every_s = every_s or facts.merge_every_s * facts.time_scale
    files = sum(_files(run) for run in good)
    start_s = fmean(run["spark_ready_s"] or 0.0 for run in good)
    per_file_s = sum(_took_s(run) - (run["spark_ready_s"] or 0.0) for run in good) / files
    load_s = sum(one["committed_s"] - one["copy_started_s"] for run in good for one in run["types"]) / files
    files_a_run = (files_per_min or len(evidence.delivered) / facts.duration_s * 60) * every_s / 60
    return BatchJob(
        dpus=dpus or fmean(run["dpu_s"] / max(GLUE_MINIMUM_S, _took_s(run)) for run in good),
        run_s=start_s + per_file_s * files_a_run,
        every_s=every_s,
        load_s=load_s * files_a_run,
        origin=f"measured here: {start_s:.1f} s to start, {per_file_s:.3f} s a file, {files_a_run:,.0f} files a run",
    )


def _files(run: Event) -> int:
    return sum(len(one["keys"]) for one in run["types"])


def _took_s(run: Event) -> float:
    return float(run["ended_s"]) - float(run["started_s"])

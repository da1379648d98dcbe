"""DPU-seconds of a job run, as Glue bills them. A model: nothing here runs on AWS.

In: worker type, workers, seconds. Out: DPU-seconds. Source: AWS Glue pricing ("billed per second, with a 1-minute
minimum") and Glue Developer Guide, "Worker types" (DPUs and task slots of each).
"""

from harness.pipeline import BatchSettings

MINIMUM_BILLED_S = 60.0
DPUS_OF = {"G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0}
SLOTS_OF = {"G.025X": 2, "G.1X": 4, "G.2X": 8}


def dpus(batch: BatchSettings) -> float:
    """What the workers count for, the driver's among them."""
    return DPUS_OF[batch.worker_type] * batch.workers


def dpu_seconds(batch: BatchSettings, run_s: float) -> float:
    """What a run of `run_s` seconds is billed."""
    return dpus(batch) * max(MINIMUM_BILLED_S, run_s)


def task_slots(batch: BatchSettings) -> int:
    """How many tasks run at once: one worker drives and runs none."""
    return SLOTS_OF[batch.worker_type] * (batch.workers - 1)

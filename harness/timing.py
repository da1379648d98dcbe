"""What a run's time scale makes of the pipeline's own times.

One `time_scale` shrinks schedules and limits together. Measured service times are never scaled, so a visibility
timeout stays above six times what the function takes at worst: below that the compression itself would make
duplicates.
"""

import math
from dataclasses import dataclass

from harness.errors import UsageError
from harness.pipeline import VISIBILITY_PER_FUNCTION_TIME, Pipeline


@dataclass(frozen=True)
class Timing:
    """The times a run goes by, in real seconds on this machine."""

    time_scale: float
    sla_s: float
    merge_every_s: float
    visibility_timeout_s: dict[str, int]


def scaled(pipeline: Pipeline, time_scale: float) -> Timing:
    """The pipeline's times divided by `time_scale`, which is 1 in real time.

    Raises:
        UsageError: the scale is below 1.
    """
    if not time_scale >= 1:
        raise UsageError(f"time scale {time_scale:g} is not 1 or more (1 is real time)")
    visibility = {}
    for name in () if pipeline.batch else pipeline.types:
        queue, function = pipeline.queue_of(name), pipeline.function_of(name)
        floor_s = max(function.timeout_s, VISIBILITY_PER_FUNCTION_TIME * function.worst_case_s)
        wanted_s = queue.visibility_timeout_s / time_scale
        # never longer than in production, never so short that compression alone makes duplicates
        visibility[name] = min(queue.visibility_timeout_s, math.ceil(max(wanted_s, floor_s)))
    return Timing(time_scale, pipeline.sla_s / time_scale, pipeline.merge_every_s / time_scale, visibility)

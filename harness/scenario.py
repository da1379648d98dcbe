"""What a scenario is: a value that says what load to offer, for how long, and what must hold.

Running one is the business of `harness.run`; the scenarios themselves are in `scenarios/`, one file each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.checks import Check


class Arrivals(Protocol):
    """When files are due: offsets in seconds from the start, ascending."""

    def times(self, duration_s: float) -> Iterator[float]: ...


@dataclass(frozen=True)
class Workload:
    """Files that arrive over time, mixed over the pipeline's types by their `share`.

    `records_per_file` is the pipeline's own unless it is given.
    """

    arrivals: Arrivals
    records_per_file: int | None = None


@dataclass(frozen=True)
class Scenario:
    """A question about a pipeline, asked by running it.

    `time_scale` is what it runs at unless the user asks for another; `drain_within_s` is how long, in scaled time as
    the SLA is, the pipeline has after the last arrival.
    """

    name: str
    question: str
    workload: Workload
    duration_s: float
    checks: "tuple[Check, ...]"
    time_scale: float = 60.0
    drain_within_s: float = 3600.0

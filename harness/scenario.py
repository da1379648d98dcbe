"""What a scenario is: a value that says what load to offer, for how long, what goes wrong, and what must hold.

Running one is the business of `harness.run`; the scenarios themselves are in `scenarios/`, one file each.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from harness.checks import Check
    from harness.faults.site import Site
    from harness.shapes import Shaped, Workshop


class Arrivals(Protocol):
    """When files are due: offsets in seconds from the start, ascending."""

    def times(self, duration_s: float) -> Iterator[float]: ...


class Shape(Protocol):
    """What makes a schedule out of the ordinary; those there are, are in `harness.shapes`."""

    def apply(self, shaped: "Shaped", workshop: "Workshop") -> "Shaped": ...


@dataclass(frozen=True)
class Workload:
    """Files that arrive over time, mixed over the pipeline's types by their `share`.

    `records_per_file` is the pipeline's own unless it is given. `skewed_to_first` files of the first type come for
    each of another.
    """

    arrivals: Arrivals
    records_per_file: int | None = None
    shapes: tuple[Shape, ...] = ()
    skewed_to_first: float = 1.0


class Fault(Protocol):
    """Something that goes wrong; those there are, are in `harness.faults`.

    `inject` returns what heals it; healing says in a few words what the fault did, or None when it did nothing.
    """

    @property
    def name(self) -> str: ...

    def inject(self, site: "Site") -> Callable[[], str | None]: ...


@dataclass(frozen=True)
class Timed:
    """A fault on the scenario's timeline. One at 0 is there before the first upload; one without `for_s` stays until
    the last upload has ended."""

    at_s: float
    fault: Fault
    for_s: float | None = None


def at(at_s: float, fault: Fault, for_s: float | None = None) -> Timed:
    """`fault` from `at_s` seconds after the start, for `for_s` seconds."""
    return Timed(at_s, fault, for_s)


@dataclass(frozen=True)
class Search:
    """Run a scenario at several rates to find the highest at which all its checks pass.

    Rates are files a minute. Halving ends when the lowest rate that failed is at most `precision` times the highest
    that held.
    """

    low_per_min: float
    high_per_min: float
    precision: float = 1.25


@dataclass(frozen=True)
class Scenario:
    """A question about a pipeline, asked by running it.

    `time_scale` is what it runs at unless the user asks for another; `drain_within_s` is how long, in scaled time as
    the SLA is, the pipeline has after the last arrival. `beside` names another pipeline description in the directory of
    the first, which is then run on the same files. `ends_with` is the verdict of the pipeline of this repository, and
    `ends_within_s` the time within which it is there on two idle cores, stack and accounting included: documented, not
    enforced.
    """

    name: str
    question: str
    workload: Workload
    duration_s: float
    checks: "tuple[Check, ...]"
    faults: tuple[Timed, ...] = ()
    time_scale: float = 60.0
    drain_within_s: float = 3600.0
    beside: str | None = None
    search: Search | None = None
    ends_with: Literal["pass", "fail"] = "pass"
    ends_within_s: float = 300.0

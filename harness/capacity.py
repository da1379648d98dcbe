"""The highest rate that holds, found by halving.

In: the rates to search between and a function that runs one. Out: every rate that was tried, with its verdict, and the
highest that passed. Pure but for what that function does. A rate at which the harness itself could not keep up has not
held: nothing is known of the pipeline there.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.checks import Verdict
from harness.scenario import Search


@dataclass(frozen=True)
class Step:
    """One rate that was tried, in files a minute; `directory` is its run's, `why` the first check that did not pass."""

    files_per_min: float
    verdict: Verdict
    why: str
    saturated: str
    directory: str


@dataclass(frozen=True)
class Found:
    """`held` is the best step that passed, `failed` the lowest above it that did not."""

    steps: tuple[Step, ...]
    held: Step | None
    failed: Step | None

    def sentence(self) -> str:
        """For people."""
        if self.held is None:
            lowest = self.steps[0]
            return f"not even {lowest.files_per_min:g} files/min held; saturated: {lowest.saturated}"
        if self.failed is None:
            return f"{self.held.files_per_min:g} files/min held, the highest rate that was tried"
        return (
            f"{self.held.files_per_min:g} files/min held, {self.failed.files_per_min:g} did not: {self.failed.why}; "
            f"saturated: {self.failed.saturated}"
        )

    def to_json(self) -> dict[str, Any]:
        """The key `capacity` of verdict.json."""
        return {
            "files_per_min": self.held and self.held.files_per_min,
            "failed_at_files_per_min": self.failed and self.failed.files_per_min,
            "saturated": self.failed and self.failed.saturated,
            "steps": [step.__dict__ for step in self.steps],
        }


def search(wanted: Search, run: Callable[[float], Step]) -> Found:
    """Try the lowest rate, the highest, and then what lies between the best that held and the first that did not."""
    steps = [run(wanted.low_per_min)]
    if steps[0].verdict is not Verdict.PASS:
        return Found(tuple(steps), None, steps[0])
    held, failed = steps[0], None
    steps.append(highest := run(wanted.high_per_min))
    if highest.verdict is Verdict.PASS:
        return Found(tuple(steps), highest, None)
    failed = highest
    while failed.files_per_min > held.files_per_min * wanted.precision:
        between = round(math.sqrt(held.files_per_min * failed.files_per_min), 1)
        steps.append(step := run(between))
        if step.verdict is Verdict.PASS:
            held = step
        else:
            failed = step
    return Found(tuple(steps), held, failed)

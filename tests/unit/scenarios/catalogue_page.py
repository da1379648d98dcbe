"""Writes docs/scenarios.md from the scenarios themselves: `python -m tests.unit.scenarios.catalogue_page`."""

from pathlib import Path

from harness import catalogue
from harness.scenario import Scenario, Timed

PAGE = Path(__file__).parents[3] / "docs" / "scenarios.md"
_HEAD = """# Scenarios

Written from `scenarios/` by `python -m tests.unit.scenarios.catalogue_page`; a test compares. `harness run NAME` runs
one, `harness show NAME` shows its checks. Rate, duration and time scale are what it runs with unless told otherwise.
The verdict is that of the pipeline of this repository, the time what it takes to get there on two cores that have
nothing else to do, from the start of the stack to the end of the accounting.

| scenario | the question it asks | arrivals | for | time scale | what goes wrong | verdict | within |
|---|---|---|---|---|---|---|---|
"""


def _fault(timed: Timed) -> str:
    when = "from the start" if timed.at_s <= 0 else f"at {timed.at_s:g} s"
    return f"{timed.fault.name} ({when}{f', for {timed.for_s:g} s' if timed.for_s else ''})"


def _row(scenario: Scenario) -> str:
    wrong = [_fault(timed) for timed in scenario.faults] + [str(shape) for shape in scenario.workload.shapes]
    return (
        f"| `{scenario.name}` | {scenario.question} | {scenario.workload.arrivals} | {scenario.duration_s:g} s "
        f"| {scenario.time_scale:g} | {'; '.join(wrong) or '–'} | {scenario.ends_with} "
        f"| {scenario.ends_within_s / 60:g} min |\n"
    )


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(catalogue.scenario(name)) for name in catalogue.names())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

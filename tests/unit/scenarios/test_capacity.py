"""The search for the highest rate: halving between what held and what did not, and the name of what was saturated."""

from dataclasses import replace

import pytest

from harness.capacity import Step, search
from harness.checks import Verdict
from harness.saturation import saturated
from harness.scenario import Search
from tests.unit.run_fixtures import TYPES, Run, good_run

WANTED = Search(low_per_min=30, high_per_min=1_200, precision=1.25)
FREE = dict.fromkeys(TYPES, 4)


def _holding_up_to(limit_per_min: float, tried: list[float]) -> "object":
    def run(files_per_min: float) -> Step:
        tried.append(files_per_min)
        held = files_per_min <= limit_per_min
        verdict = Verdict.PASS if held else Verdict.FAIL
        return Step(files_per_min, verdict, "" if held else "too late", "" if held else "merge: slow", "steps/x")

    return run


@pytest.mark.parametrize("limit_per_min", [31.0, 100.0, 333.0, 800.0, 1_150.0])
def test_it_closes_in_on_the_highest_rate_that_holds(limit_per_min: float) -> None:
    tried: list[float] = []
    found = search(WANTED, _holding_up_to(limit_per_min, tried))  # type: ignore[arg-type]
    assert found.held is not None
    assert found.failed is not None
    assert found.held.files_per_min <= limit_per_min < found.failed.files_per_min
    assert found.failed.files_per_min <= found.held.files_per_min * WANTED.precision
    assert len(tried) == len(set(tried)) <= 7
    assert "did not: too late; saturated: merge: slow" in found.sentence()
    assert found.to_json()["files_per_min"] == found.held.files_per_min


def test_nothing_holds_and_everything_holds() -> None:
    tried: list[float] = []
    none = search(WANTED, _holding_up_to(1.0, tried))  # type: ignore[arg-type]
    assert none.held is None
    assert tried == [30]
    assert "not even 30" in none.sentence()
    all_of_them = search(WANTED, _holding_up_to(9_999.0, []))  # type: ignore[arg-type]
    assert all_of_them.held is not None
    assert all_of_them.held.files_per_min == 1_200
    assert all_of_them.failed is None
    assert "the highest rate that was tried" in all_of_them.sentence()


def _slow(run: Run, phase_ms: dict[str, float], took_s: float) -> Run:
    """Every invocation takes this long, most of it in these phases."""
    events = tuple(
        event
        | {
            "end_s": event["start_s"] + took_s,
            "log_lines": [line | {"phase_ms": phase_ms} for line in event["log_lines"]],
        }
        if event["event"] == "invocation"
        else event
        for event in run.events
    )
    return replace(run, events=events)


def test_what_is_saturated_is_named() -> None:
    good = good_run(12)
    assert saturated(good.evidence, FREE).startswith("queue:")
    late = good.changing("uploaded", {"index": 3}, started_s=1_700_000_009.0)
    assert saturated(late.evidence, FREE).startswith("offered load:")
    assert saturated(good.supposing(merge_every_s=1.0).evidence, FREE).startswith("merge: it took 2.0 s")
    locked = _slow(good, {"copy": 6_000.0}, 6.5)
    assert saturated(locked.evidence, FREE).startswith("warehouse lock:")
    busy = _slow(good, {"read": 6_000.0}, 6.5)
    assert saturated(busy.evidence, dict.fromkeys(TYPES, 2)).startswith("function concurrency:")

"""A file's way is cut into parts that add up."""

import pytest

from harness.report import breakdown
from tests.unit.run_fixtures import RECORDS, START_S, good_run, invocation, key_of

GOOD = good_run()


def _parts(run: object = GOOD, index: int = 0) -> dict[str, float]:
    found = {one.file.index: one for one in breakdown.of_run(run.history)}  # type: ignore[attr-defined]
    return dict(found[index].parts_s)


def test_the_parts_of_a_cold_file() -> None:
    assert _parts() == pytest.approx(
        {
            "start_lag": 0.002, "upload": 0.048, "notify": 0.05, "queue": 0.0, "retries": 0.0, "cold_start": 0.1,
            "phase:read": 0.1, "phase:check": 0.05, "phase:connect": 0.01, "phase:copy": 0.25, "handler_rest": 0.09,
            "merge_wait": 4.3, "merge": 1.0,
        },
        abs=0.002,
    )  # fmt: skip


def test_the_cold_start_is_the_end_of_the_wait_and_not_part_of_the_invocation() -> None:
    """The executor's start_s is when the invocation begins, after the init phase: duration_ms is end_s - start_s."""
    parts = _parts(GOOD.changing("invocation", {"request_id": "request-0"}, init_ms=40.0))
    assert parts["cold_start"] == pytest.approx(0.04)
    assert parts["queue"] == pytest.approx(0.06, abs=0.002)


def test_the_parts_of_a_warm_file_leave_a_rest_of_the_invocation() -> None:
    parts = _parts(index=2)
    assert parts["cold_start"] == 0
    assert parts["phase:copy"] == pytest.approx(0.25)
    assert parts["handler_rest"] == pytest.approx(0.09)


@pytest.mark.parametrize("index", range(4))
def test_parts_add_up_to_the_end_to_end_latency(index: int) -> None:
    file = GOOD.history.files[key_of(index)]
    assert sum(_parts(index=index).values()) == pytest.approx(file.end_to_end_s, abs=0.01)


def test_failed_attempts_are_told_apart_from_waiting() -> None:
    failed = invocation(
        2, start_s=START_S + 2.2, end_s=START_S + 2.3, status="timeout", request_id="first", log_lines=[]
    )
    late = GOOD.changing("invocation", {"request_id": "request-2"}, start_s=START_S + 4.2, end_s=START_S + 4.7)
    events = [*late.events]
    events.insert(events.index(next(e for e in events if e.get("request_id") == "request-2")), failed)
    parts = _parts(type(late)(late.facts, tuple(events)), 2)
    assert parts["queue"] == pytest.approx(0.1, abs=0.002)
    assert parts["retries"] == pytest.approx(2.0, abs=0.002)


def test_phases_never_outgrow_their_invocation() -> None:
    line = {
        "event": "file_loaded",
        "file": key_of(2),
        "rows": RECORDS,
        "committed_at_s": 1.0,
        "phase_ms": {"copy": 9e6},
    }
    parts = _parts(GOOD.changing("invocation", {"request_id": "request-2"}, log_lines=[line]), 2)
    assert parts["phase:copy"] == pytest.approx(0.5)
    assert parts["handler_rest"] == 0


def test_a_phase_that_nobody_knows_is_shown_under_its_own_name() -> None:
    line = {
        "event": "file_loaded",
        "file": key_of(2),
        "rows": RECORDS,
        "committed_at_s": 1.0,
        "phase_ms": {"warm_up": 9},
    }
    run = GOOD.changing("invocation", {"request_id": "request-2"}, log_lines=[line])
    parts = breakdown.parts_in(breakdown.of_run(run.history))
    assert parts.index("phase:copy") < parts.index("phase:warm_up") < parts.index("merge_wait")
    assert breakdown.label("phase:warm_up") == "handler: warm up"


def test_around_a_percentile_are_real_files_that_add_up() -> None:
    breakdowns = breakdown.of_run(good_run(200).history)
    for rank in (50, 95, 99):
        assert sum(breakdown.around(breakdowns, rank).values()) == pytest.approx(
            breakdowns[200 * rank // 100 - 1].file.end_to_end_s, rel=0.05
        )
    assert breakdown.around(breakdowns[:1], 99) == pytest.approx(
        {part: seconds for part, seconds in breakdowns[0].parts_s.items() if seconds > 0}
    )

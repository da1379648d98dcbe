"""Who kept files waiting: nobody ran, or somebody held the lock."""

import pytest

from harness.checks import default_checks
from harness.report import breakdown, story
from harness.report.suspects import stations_at_fault
from harness.report.waits import idle_share, lock_holders
from tests.unit.report.test_story import merged_late
from tests.unit.run_fixtures import START_S, Run, good_run, invocation

ORDERS = (0, 2, 4, 6)


def _told(run: Run) -> str:
    return " ".join(story.findings(run.judged_by(*default_checks())))


def _at(index: int, start_s: float, end_s: float, **phases_s: float) -> dict[str, object]:
    """The invocation of a file at another time, seconds into the load, with other phases."""
    line = invocation(index)["log_lines"][0] | {"committed_at_s": START_S + end_s}
    line |= {"phase_ms": {phase: phase_s * 1000 for phase, phase_s in phases_s.items()}}
    return {"start_s": START_S + start_s, "end_s": START_S + end_s, "log_lines": [line]}


def _late(busy: bool) -> Run:
    """The last file is taken 50 s late, while the invocation before it ran all the time, or was over long ago."""
    run = good_run(8).changing("invocation", {"request_id": "request-6"}, **_at(6, 50, 50.4, copy=0.3))
    if busy:
        run = run.changing("invocation", {"request_id": "request-4"}, **_at(4, 4.2, 49.9, copy=0.3))
    return merged_late(run, 6, START_S + 60)


def test_files_that_waited_while_no_invocation_ran_are_not_the_handlers_fault() -> None:
    idle, busy = _late(busy=False), _late(busy=True)
    assert "no invocation of their function ran at all" in _told(idle)
    assert stations_at_fault(idle.evidence) == {"queue"}
    assert "no invocation of their function ran at all" not in _told(busy)
    assert "handler" in stations_at_fault(busy.evidence)


def test_the_idle_share_counts_the_start_of_an_environment_as_work() -> None:
    for init_ms, began_s in ((None, 40), (20_000.0, 30)):
        run = _late(busy=False).changing("invocation", {"request_id": "request-6"}, cold=True, init_ms=init_ms)
        late = [one for one in breakdown.of_run(run.history) if one.file.index == 6]
        # sent after 6.1 s, taken after 50 s
        assert idle_share(run.evidence, late) == pytest.approx((began_s - 6.1) / (50 - 6.1), abs=0.02)


def _one_after_another(load_s: float, lock_s: float) -> Run:
    """Every order's COPY takes `load_s` after it waited `lock_s` for the lock, from its fifth second on."""
    run = good_run(8)
    for turn, index in enumerate(ORDERS):
        end_s = 6 + lock_s + load_s * (turn + 1)
        phases = {"lock_wait": lock_s + load_s * turn, "copy": load_s}
        start_s = end_s - sum(phases.values()) - 0.01
        run = run.changing("invocation", {"request_id": f"request-{index}"}, **_at(index, start_s, end_s, **phases))
    return run.changing("merged", {"type": "orders"}, started_s=START_S + 80, committed_s=START_S + 81)


def test_loads_that_wait_for_one_another_are_told_from_a_session_that_holds_the_lock() -> None:
    loads, somebody = _one_after_another(15, 0), _one_after_another(0.1, 45)
    held = lock_holders(loads.evidence, breakdown.of_run(loads.history))
    assert held is not None
    assert (held.loads, held.merges, held.load_s) == pytest.approx((1, 0, 15), abs=0.1)
    assert "The lock was held by the loads of other files" in _told(loads)
    assert "another session of the warehouse did" in _told(somebody)
    merge = somebody.changing("merge_run", {}, types=[_merging(6, 51), _merging(6, 51, "clicks")])
    assert "The lock was held by the merge job's transactions" in _told(merge)
    assert lock_holders(good_run().evidence, breakdown.of_run(good_run().history)) is None


def _merging(from_s: float, to_s: float, name: str = "orders") -> dict[str, object]:
    return {"type": name, "started_s": START_S + from_s, "committed_s": START_S + to_s, "error": None, "rows": []}


def test_an_init_phase_that_ran_again_inside_the_invocation_is_a_part_of_its_own() -> None:
    run = good_run().changing("invocation", {"request_id": "request-0"}, init_ms=None)
    (cold,) = [one.parts_s for one in breakdown.of_run(run.history) if one.file.index == 0]
    assert cold["init_again"] == pytest.approx(0.09)
    assert "handler_rest" not in cold
    (warm,) = [one.parts_s for one in breakdown.of_run(run.history) if one.file.index == 2]
    assert "init_again" not in warm

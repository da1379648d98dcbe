"""What holds for every input: arrivals, the ledger and the checks, with inputs that hypothesis draws."""

import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from generators.arrivals import Arrivals, burst, constant, poisson, ramp
from harness.checks import Verdict, default_checks
from harness.verdict import judge_stored
from tests.unit.run_fixtures import Run, dead_letter, good_run, key_of

GOOD = good_run()
LINES = GOOD.ledger_lines()
WHOLE = "".join(LINES).encode()

rates = st.floats(0.5, 5_000)
times = st.floats(0, 300)
shapes = st.one_of(
    st.builds(constant, rates),
    st.builds(poisson, rates, st.integers(0, 1000)),
    st.builds(ramp, rates, rates, st.floats(1, 300)),
    st.builds(burst, rates, rates, times, times),
)


@settings(deadline=None, max_examples=60)
@given(shapes, st.floats(0.1, 60))
def test_arrivals_ascend_within_their_time_and_are_the_same_again(shape: Arrivals, duration_s: float) -> None:
    found = list(shape.times(duration_s))
    assert all(0 <= at_s < duration_s for at_s in found)
    assert all(earlier <= later for earlier, later in pairwise(found))
    assert found == list(shape.times(duration_s))


@settings(deadline=None, max_examples=60)
@given(shapes, st.floats(0.1, 30), st.floats(0.1, 30))
def test_a_longer_run_begins_as_a_shorter_one(shape: Arrivals, one_s: float, other_s: float) -> None:
    short_s, long_s = sorted((one_s, other_s))
    longer = [at_s for at_s in shape.times(long_s) if at_s < short_s]
    shorter = list(shape.times(short_s))
    # the last arrival may lie a rounding error before the end of the shorter run
    assert longer[: len(shorter)] == shorter
    assert len(longer) - len(shorter) <= 1


def _verdict_of(ledger: bytes) -> Verdict:
    with TemporaryDirectory() as directory:
        stored = GOOD.store(Path(directory) / "run")
        stored.ledger.write_bytes(ledger)
        return judge_stored(stored, default_checks()).verdict


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(WHOLE) - 1))
def test_a_harness_killed_at_any_byte_leaves_a_run_that_is_inconclusive(at: int) -> None:
    assert _verdict_of(WHOLE[:at]) is Verdict.INCONCLUSIVE


def test_the_whole_ledger_passes() -> None:
    assert _verdict_of(WHOLE) is Verdict.PASS


@settings(deadline=None, max_examples=100)
@given(st.sets(st.integers(0, len(LINES) - 1), min_size=1))
def test_lines_that_are_taken_away_never_leave_a_pass(taken: set[int]) -> None:
    kept = [line for number, line in enumerate(LINES) if number not in taken]
    assert _verdict_of("".join(kept).encode()) is Verdict.INCONCLUSIVE


@settings(deadline=None, max_examples=100)
@given(st.permutations(range(len(LINES))))
def test_lines_in_another_order_never_pass(order: list[int]) -> None:
    if order != sorted(order):
        assert _verdict_of("".join(LINES[number] for number in order).encode()) is not Verdict.PASS


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_bytes_in_the_middle_never_raise(noise: bytes, at: int) -> None:
    assert _verdict_of(WHOLE[:at] + noise + WHOLE[at:]) in Verdict


@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 3),
    st.sampled_from(["missing", "duplicated", "altered"]),
    st.integers(1, 100),
)
def test_one_wrong_record_convicts_and_names_its_file(index: int, what: str, records: int) -> None:
    merged = 100 - records if what == "missing" else 100
    judgement = GOOD.changing("accounted", {"index": index}, **{what: records, "merged": merged}).judged_by(
        *default_checks()
    )
    assert judgement.verdict is Verdict.FAIL
    assert any(result.verdict is Verdict.FAIL and key_of(index) in result.detail for result in judgement.results)


@settings(deadline=None, max_examples=60)
@given(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)))
def test_dead_letters_pass_only_when_they_are_exactly_the_rejects(rejects: set[int], found: set[int]) -> None:
    run: Run = GOOD
    for index in rejects:
        run = run.changing("planned", {"index": index}, reject=True)
    if found:
        run = run.adding(*(dead_letter(index) for index in sorted(found)))
    verdict = next(result for result in run.judged_by(*default_checks()).results if result.name == "dead_letters")
    assert (verdict.verdict is Verdict.PASS) == (rejects == found), json.dumps([sorted(rejects), verdict.detail])

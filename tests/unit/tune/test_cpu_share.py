"""The share of a CPU really holds: processes that only compute, side by side, get theirs in proportion."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from harness.tune.cpu_share import ControlGroup, DutyCycle, cpu_s, cpu_share, share_of

BURN = (sys.executable, "-I", "-S", "-c", "while True: pass")
FOR_S = 3.0


@contextmanager
def burning(share: float, *, groups: bool) -> Iterator[tuple[int, str]]:
    """A process that computes for as long as the block, inside its bound."""
    with cpu_share(share, groups=groups) as bound:
        process = subprocess.Popen(bound.argv(BURN), start_new_session=True)
        bound.watch(process.pid)
        try:
            yield process.pid, bound.kind
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def used(shares: tuple[float, ...], *, groups: bool) -> tuple[list[float], float, list[str]]:
    """CPU seconds of each, the seconds it took, and how they were bound."""
    with ExitStack() as cleanup:
        found = [cleanup.enter_context(burning(share, groups=groups)) for share in shares]
        began_s, before = time.monotonic(), [cpu_s(pid) for pid, _ in found]
        signal.sigtimedwait([], FOR_S)  # nothing to wait for but the time in which they compute
        took_s, after = time.monotonic() - began_s, [cpu_s(pid) for pid, _ in found]
    return [now - then for now, then in zip(after, before, strict=True)], took_s, [kind for _, kind in found]


def can_have_groups() -> bool:
    with cpu_share(0.5) as bound:
        return isinstance(bound, ControlGroup)


@pytest.mark.parametrize("groups", [True, False], ids=["control group", "duty cycle"])
def test_shares_hold_side_by_side(groups: bool) -> None:
    if groups and not can_have_groups():
        pytest.skip("no control group can be made here: not root, and none is delegated")
    # 0.10 and 0.20 of a CPU leave room beside whatever else this machine does
    (small_s, large_s), took_s, kinds = used((0.10, 0.20), groups=groups)
    assert ("control group" in kinds[0]) == groups
    assert large_s / small_s == pytest.approx(2.0, rel=0.35)
    # nobody gets more than the share, beyond what one period or one look at it can hold
    assert small_s <= 0.10 * took_s + 0.12
    assert large_s <= 0.20 * took_s + 0.12


def test_without_a_bound_the_ratio_would_not_hold() -> None:
    """The check above can fail: two processes with the same bound do not differ by a factor of two."""
    (one_s, other_s), _, _ = used((0.15, 0.15), groups=False)
    assert other_s / one_s != pytest.approx(2.0, rel=0.35)


def test_memory_buys_cpu_in_proportion() -> None:
    assert share_of(1_769) == 1.0
    assert share_of(3_538) == 2.0
    assert share_of(512) == pytest.approx(0.289, abs=0.001)


def test_a_stopped_process_goes_on_when_its_bound_goes() -> None:
    with cpu_share(0.05, groups=False) as bound:
        assert isinstance(bound, DutyCycle)
    with cpu_share(0.05, groups=False) as bound:
        assert bound.argv(BURN) == BURN

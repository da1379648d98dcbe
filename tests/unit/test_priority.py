"""Who runs first on a busy machine."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from harness.stack.processes import prioritize


@pytest.fixture
def pid() -> Iterator[int]:
    """A process of its own session."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process.pid
        process.kill()


def _niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def test_root_makes_a_process_more_urgent_and_others_leave_it_as_it_is(pid: int) -> None:
    before = _niceness(pid)
    wanted = before - 3
    prioritize(pid, wanted)
    assert _niceness(pid) == (wanted if os.geteuid() == 0 else before)


def test_what_is_more_urgent_already_stays_so(pid: int) -> None:
    before = _niceness(pid)
    prioritize(pid, before + 3)
    assert _niceness(pid) == before

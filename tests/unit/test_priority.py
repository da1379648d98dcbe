"""Who runs first on a busy machine, and what the warehouse takes of its memory."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.priority import prioritize, session_niceness
from harness.stack.postgres import memory_mb, shared_buffers_mb

needs_sessions = pytest.mark.skipif(
    os.geteuid() != 0 or session_niceness(os.getpid()) is None,
    reason="only root may make a session more urgent, and the kernel has to schedule sessions",
)


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


@needs_sessions
def test_the_session_of_what_is_urgent_already_is_asked_for_as_well(pid: int) -> None:
    wanted = _niceness(pid) - 3
    os.setpriority(os.PRIO_PROCESS, pid, wanted)  # as what an urgent parent starts; its session begins at 0
    assert session_niceness(pid) == 0
    prioritize(pid, wanted)
    assert session_niceness(pid) == wanted


@needs_sessions
def test_a_session_is_asked_for_by_the_process_that_leads_it_alone() -> None:
    before = session_niceness(os.getpid())
    with subprocess.Popen(["sleep", "60"]) as child:  # of this session
        prioritize(child.pid, -3)
        child.kill()
    assert session_niceness(os.getpid()) == before


def test_a_process_that_has_ended_is_left_alone(pid: int) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    prioritize(ended.pid, -3)
    with pytest.raises(ProcessLookupError):
        session_niceness(ended.pid)
    assert _niceness(pid) == _niceness(os.getpid())


@pytest.mark.parametrize(("memory_gb", "mb"), [(1, 256), (8, 1024), (16, 2048), (256, 2048)])
def test_the_warehouse_keeps_an_eighth_of_the_memory_within_bounds(memory_gb: int, mb: int) -> None:
    assert shared_buffers_mb(memory_gb * 1024) == mb


def test_a_container_has_the_memory_of_its_limit(tmp_path: Path) -> None:
    missing, limit = tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"
    limit.write_text(f"{128 << 20}\n")
    assert memory_mb((missing, limit)) == 128
    missing.write_text("max\n")
    assert memory_mb((missing, tmp_path / "neither")) == psutil.virtual_memory().total // 2**20
    limit.write_text(f"{1 << 62}\n")
    assert memory_mb((limit,)) == psutil.virtual_memory().total // 2**20

"""The handler on MiniStack in the emulator's place, for `harness bench throughput --compare ministack`."""

from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness import pipeline
from harness.bench import ministack
from harness.errors import HarnessError, UsageError
from harness.pipeline import Pipeline
from harness.stack.processes import descendants_of_this_process

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def described() -> Pipeline:
    return pipeline.load(ROOT / "pipeline.toml")


def _left_by_this(before: set[int]) -> set[int]:
    """What was started since, but for what those that ran before have started: another test's warehouse vacuums."""
    found = set()
    for pid in set(descendants_of_this_process()) - before:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).ppid() not in before:
                found.add(pid)
    return found


def test_every_file_is_loaded_and_nothing_is_left(described: Pipeline) -> None:
    before = set(descendants_of_this_process())
    found = ministack.measure(described, rate_per_min=120, duration_s=4, records=100)
    assert (found.files, found.loaded) == (8, 8)
    assert found.all_loaded_after_s is not None
    assert found.loaded_per_min <= 120
    assert _left_by_this(before) == set()


def test_a_file_that_is_not_loaded_is_not_counted(described: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ministack, "DRAIN_TIMEOUT_S", 1.0)
    monkeypatch.setattr(ministack, "notify_queues", lambda *_: None)
    found = ministack.measure(described, rate_per_min=120, duration_s=1, records=100)
    assert (found.files, found.loaded, found.loaded_per_min, found.all_loaded_after_s) == (2, 0, 0.0, None)


def test_a_handler_with_a_python_of_its_own_is_refused(described: Pipeline) -> None:
    function = described.function.model_copy(update={"python": "/usr/bin/python3"})
    with pytest.raises(UsageError, match="has a Python of its own"):
        ministack.measure(described.model_copy(update={"function": function}), 60, 1)


def test_an_environment_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    with pytest.raises(HarnessError, match="make setup-dev"):
        ministack.python()

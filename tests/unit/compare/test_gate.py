"""The gate: each version's own files, in turns, and an end when a run says nothing of the pipeline."""

from pathlib import Path

import pytest

from harness.compare import Outcome
from harness.errors import HarnessError, UsageError
from harness.gate import Versions, gate
from tests.git_repository import GitRepository
from tests.unit.compare.histories import drawn_run

RUNS = 7
PIPELINE = Path("pipeline.toml")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two versions of a pipeline, of which the second is a quarter slower, and a third that is not committed."""
    git = GitRepository.begin(tmp_path / "repository")
    for name, slower in (("first", "1.0"), ("second", "1.25")):
        (git.path / PIPELINE).write_text(slower)
        git.tag(name)
    (git.path / PIPELINE).write_text("1.0")
    return git.path


class _Machine:
    """Stands for `harness run`: a synthetic run, as slow as the pipeline file says."""

    def __init__(self, exit_code: int = 0) -> None:
        self.order: list[str] = []
        self.pipelines: set[Path] = set()
        self.exit_code = exit_code

    def __call__(self, pipeline: Path, directory: Path) -> int:
        self.order.append(directory.parent.name)
        self.pipelines.add(pipeline)
        run = drawn_run(len(self.order), 0.03, slower=float(pipeline.read_text()))
        run.supposing(started_at=f"2026-01-01T{len(self.order):02d}:00:00Z").store(directory)
        return self.exit_code


def test_a_slower_version_is_worse_and_the_runs_were_made_in_turns(repository: Path, tmp_path: Path) -> None:
    machine = _Machine()
    comparison = gate(Versions(repository, "first", "second", PIPELINE), tmp_path / "out", RUNS, machine)
    assert comparison.outcome is Outcome.WORSE
    assert comparison.notes == ()
    assert machine.order[:6] == ["base", "head", "head", "base", "base", "head"]
    assert (machine.order.count("base"), machine.order.count("head")) == (RUNS, RUNS)
    assert not any(pipeline.exists() for pipeline in machine.pipelines)  # the check-outs are gone
    assert (repository / PIPELINE).read_text() == "1.0"  # and the working tree is as it was


def test_the_working_tree_is_the_head_unless_another_is_named(repository: Path, tmp_path: Path) -> None:
    comparison = gate(Versions(repository, "first", None, PIPELINE), tmp_path / "out", RUNS, _Machine())
    assert comparison.outcome is Outcome.SAME


def test_the_same_version_twice_is_the_same(repository: Path, tmp_path: Path) -> None:
    comparison = gate(Versions(repository, "second", "second", PIPELINE), tmp_path / "out", RUNS, _Machine())
    assert comparison.outcome is Outcome.SAME


@pytest.mark.parametrize("reference", ["nowhere", "--output=x", "first:pipeline.toml"])
def test_a_version_that_is_not_there_is_named(reference: str, repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such commit"):
        gate(Versions(repository, reference, None, PIPELINE), tmp_path / "out", 1, _Machine())


def test_a_pipeline_that_is_not_there_is_named(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"other\.toml: not in first"):
        gate(Versions(repository, "first", None, Path("other.toml")), tmp_path / "out", 1, _Machine())


@pytest.mark.parametrize(("exit_code", "error"), [(4, HarnessError), (2, UsageError), (-9, HarnessError)])
def test_a_run_that_says_nothing_of_the_pipeline_ends_it(
    exit_code: int, error: type[Exception], repository: Path, tmp_path: Path
) -> None:
    machine = _Machine(exit_code)
    with pytest.raises(error, match=f"exit code {exit_code}"):
        gate(Versions(repository, "first", "second", PIPELINE), tmp_path / "out", RUNS, machine)
    assert len(machine.order) == 1

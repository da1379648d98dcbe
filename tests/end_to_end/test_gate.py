"""The gate with real runs: two versions from git, in turns, on the embedded stack."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT
from tests.git_repository import GitRepository

BEFORE = "    loading = environment()\n"
AFTER = "    import time\n\n    time.sleep(2)\n    loading = environment()\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The default pipeline, tagged `good`; `slow` sleeps two seconds in each invocation; `drops` loses a record."""
    git = GitRepository.begin(tmp_path / "repository")
    files = f"git -C '{ROOT}' archive HEAD handler pipeline.toml | tar -x -C '{git.path}'"
    subprocess.run(files, shell=True, check=True)
    git.tag("good")
    app = git.path / "handler" / "app.py"
    good = app.read_text()
    for name, old, new in (
        ("slow", BEFORE, AFTER),
        ("drops", "        frame = with_lineage(table,", "        frame = with_lineage(table[1:],"),
    ):
        assert good.count(old) == 1
        app.write_text(good.replace(old, new))
        git.tag(name)
    return git.path


def test_the_handler_is_still_one_that_these_bugs_can_be_put_into(repository: Path) -> None:
    assert (repository / "pipeline.toml").exists()


def _gate(repository: Path, head: str, repeat: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", "gate", "--base", "good", "--head", head, "--scenario", "smoke", "--repeat",
         f"{repeat}", "--out", "out", "--", "--records", "200", "--duration", "4s"],
        cwd=repository, capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1600)
def test_a_handler_that_became_slower_is_convicted(repository: Path) -> None:
    done = _gate(repository, "slow", 5)
    assert done.returncode == 1, done.stderr + done.stdout
    found = json.loads((repository / "out" / "compare.json").read_text())
    worse = {one["name"] for one in found["findings"] if one["outcome"] == "worse"}
    assert "handler p50" in worse
    assert done.stdout.startswith("## Worse: ")
    assert {path.name for path in (repository / "out").glob("compare.*")} == {
        "compare.md", "compare.json", "compare.html",
    }  # fmt: skip
    assert "<failure" in (repository / "out" / "junit.xml").read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_record_that_is_lost_is_convicted_by_one_run_of_each(repository: Path) -> None:
    done = _gate(repository, "drops", 1)
    assert done.returncode == 1, done.stderr + done.stdout
    assert "records lost" in done.stdout

"""What the documentation's pages tell people to type is typed here, page by page, in the order of the page."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT, RUN_TIMEOUT_S


@dataclass(frozen=True)
class Command:
    """A line of a ```bash block, and the exit code that its comment promises."""

    line: str
    exit_code: int


def commands(page: str) -> list[Command]:
    """The commands of a page; `# exit code N` behind one says how it ends, otherwise it is 0."""
    found = []
    for block in re.findall(r"^```bash\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            promised = re.search(r"# exit code (\d)$", line)
            found.append(Command(line, int(promised[1]) if promised else 0))
    return found


def follow(page: str, directory: Path) -> None:
    """Type the page's commands in `directory`, which gets what a clone has."""
    shutil.copy(ROOT / "pipeline.toml", directory)
    for name in ("handler", "scenarios"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / ".venv").symlink_to(sys.prefix)
    for command in commands(page):
        done = subprocess.run(
            ["bash", "-c", command.line], cwd=directory, capture_output=True, text=True, timeout=RUN_TIMEOUT_S,
            check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == command.exit_code, f"{command.line}: {done.returncode}\n{done.stderr}{done.stdout}"


def test_a_command_that_ends_otherwise_than_promised_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="false: 1"):
        follow("```bash\ntrue\nfalse\n```\n", tmp_path)


# Settings rather than commands to follow: tests/contract/localstack/test_plugin_alone.py does what it says.
FOLLOWED_ELSEWHERE = {"plugin"}
HOW_TOS = sorted((ROOT / "docs" / "how-to").glob("*.md"))


def test_the_how_tos_that_people_look_for_are_there_and_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert {page.stem for page in HOW_TOS} >= {
        "own-handler", "own-tables", "own-data", "in-ci", "distributed", "on-aws", "redrive",
    }  # fmt: skip
    assert [page.name for page in HOW_TOS if f"(how-to/{page.name})" not in index] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in HOW_TOS if page.stem not in FOLLOWED_ELSEWHERE], ids=lambda page: page.stem
)
def test_a_how_to_does_what_it_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    assert commands(text)
    try:
        follow(text, tmp_path)
    finally:
        subprocess.run([".venv/bin/harness", "down"], cwd=tmp_path, check=False, capture_output=True)


@pytest.mark.slow
def test_the_tutorial_ends_in_a_caught_bug(tmp_path: Path) -> None:
    follow((ROOT / "docs" / "tutorial.md").read_text(), tmp_path)
    runs = sorted((tmp_path / "runs").glob("*/verdict.json"), key=lambda path: path.stat().st_mtime)
    verdicts = [json.loads(path.read_text()) for path in runs]
    assert [verdict["verdict"] for verdict in verdicts] == ["pass", "pass", "fail", "pass"]
    convicted = {check["name"] for check in verdicts[2]["checks"] if check["verdict"] == "fail"}
    assert "nothing_lost" in convicted
    assert verdicts[2]["records"]["lost"] == verdicts[2]["files"]["uploaded"]

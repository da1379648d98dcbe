"""Bring your own pipeline: an example of another style on real records, and the README's way to one's own."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT, Harness

PACKAGES = ROOT / "examples" / "packages"


def test_the_package_index_arrives_whole(harness: Harness, tmp_path: Path) -> None:
    exported = subprocess.run(
        [sys.executable, PACKAGES / "export.py", tmp_path / "replay"], capture_output=True, text=True, check=False
    )
    if exported.returncode:
        pytest.skip(f"this machine has no Debian package index: {exported.stderr.strip()}")
    run = harness(
        "run", "smoke", "--pipeline", PACKAGES / "pipeline.toml", "--replay", tmp_path / "replay", "--json",
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr + run.stdout
    records = run.json["records"]
    assert records["expected"] == records["merged"]
    assert records["expected"] > 0
    assert run.json["files"]["merged"] == len(list((tmp_path / "replay" / "packages").iterdir()))


@pytest.mark.slow
def test_real_files_are_cut_and_resampled(harness: Harness, tmp_path: Path) -> None:
    exported = subprocess.run(
        [sys.executable, PACKAGES / "export.py", tmp_path / "replay"], capture_output=True, text=True, check=False
    )
    if exported.returncode:
        pytest.skip(f"this machine has no Debian package index: {exported.stderr.strip()}")
    run = harness(
        "run", "smoke", "--pipeline", PACKAGES / "pipeline.toml", "--replay", tmp_path / "replay", "--resample",
        "--records", "500", "--rate", "240/min", "--duration", "5s", "--json",
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr + run.stdout
    records = run.json["records"]
    assert run.json["files"]["scheduled"] == 20
    assert records["merged"] + records["superseded"] == records["expected"]


def readme_commands() -> list[list[str]]:
    """Every `harness` command that the README shows, in its order."""
    text = (ROOT / "README.md").read_text()
    return [
        shlex.split(line.partition("#")[0])
        for line in re.findall(r"^ {4}\.venv/bin/harness (.*)$", text, flags=re.MULTILINE)
    ]


def test_the_commands_of_the_readme_do_what_it_says(harness: Harness, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pipeline.toml", tmp_path)
    shutil.copytree(ROOT / "handler", tmp_path / "handler")
    commands = readme_commands()
    assert ["init", "my-pipeline"] in commands
    assert ["up"] in commands
    try:
        for command in commands:
            done = harness(*command)
            assert done.exit_code == 0, f"{command}: {done.stderr}{done.stdout}"
    finally:
        harness("down")
    assert (tmp_path / "my-pipeline" / "loader.py").is_file()
    assert harness("init", "my-pipeline").exit_code == 2

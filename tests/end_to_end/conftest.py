"""Runs of the real command, each in a directory of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.web_page import Browser, find_browser

ROOT = Path(__file__).parents[2]
RUN_TIMEOUT_S = 280
LONG_RUN_TIMEOUT_S = 880


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.stdout)


Harness = Callable[..., Finished]


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """Run `harness ARGUMENTS` in the test's own directory."""
    return _runner(tmp_path, RUN_TIMEOUT_S)


@pytest.fixture
def long_harness(tmp_path: Path) -> Harness:
    """The same, for runs of many minutes."""
    return _runner(tmp_path, LONG_RUN_TIMEOUT_S)


def _runner(directory: Path, timeout_s: float) -> Harness:
    def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> Finished:
        result = subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=directory, capture_output=True, text=True, timeout=timeout_s, check=False,
            env=os.environ | (environment or {}),
        )  # fmt: skip
        return Finished(result.returncode, result.stdout, result.stderr)

    return run


@pytest.fixture
def quick_pipeline(tmp_path: Path) -> Path:
    """The default pipeline with a merge every 3 minutes: every 3 seconds at a time scale of 60, the SLA as it is."""
    text = (ROOT / "pipeline.toml").read_text()
    text = text.replace("every_s = 900", "every_s = 180").replace('"handler/sql/', f'"{ROOT}/handler/sql/')
    path = tmp_path / "pipeline.toml"
    path.write_text(text)
    return path


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """A real browser with a profile of its own."""
    return find_browser(tmp_path / "profile")

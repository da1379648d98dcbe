"""Pages that tests ask for, and look at in a real browser."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_S = 280
ROOT = Path(__file__).parents[2]


def get(url: str, data: bytes | None = None, timeout_s: float = 30) -> Any:
    with urllib.request.urlopen(url, data=data, timeout=timeout_s) as answer:
        return json.loads(answer.read())


def until(is_so: Any) -> Any:
    deadline_s = time.monotonic() + TIMEOUT_S / 2
    while not (found := is_so()):
        assert time.monotonic() < deadline_s
        time.sleep(0.2)
    return found


def answers(url: str) -> bool:
    try:
        return bool(get(url))
    except OSError:
        return False


@dataclass(frozen=True)
class Browser:
    """Opens a page in a window high enough for all charts, and gives its elements and console messages."""

    command: str
    profile: Path

    def open(self, url: str, width_px: int = 1200, height_px: int = 12_000) -> tuple[str, list[str]]:
        done = self._run("--dump-dom", url, f"--window-size={width_px},{height_px}")
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def picture(self, url: str, path: Path, width_px: int, height_px: int) -> None:
        self._run(f"--screenshot={path}", url, f"--window-size={width_px},{height_px}")

    def look(self, *urls: str) -> list[dict[str, Any]]:
        """What axe and the Tab key find on pages; see `tests.end_to_end.report.look`."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.end_to_end.report.look", self.command, *urls],
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=ROOT,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [
            self.command, "--headless", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={self.profile}",
            "--virtual-time-budget=20000", *(["--no-sandbox"] if os.geteuid() == 0 else []), *arguments,
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)


def find_browser(profile: Path) -> Browser:
    """The browser of this machine; the test is skipped, and says so, where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed, so the page was not looked at in one")
    return Browser(found, profile)


def opened(url: str, directory: Path, picture: str) -> tuple[str, list[str]]:
    """The page's elements and console messages; its picture is kept where NRT_ARTEFACTS says, if it does."""
    browser = find_browser(directory / "profile")
    kept = Path(os.environ.get("NRT_ARTEFACTS", directory)) / picture
    browser.picture(url, kept, 1400, 2400)
    assert kept.stat().st_size > 10_000
    return browser.open(url, 1400, 2400)

"""Pages that tests ask for, and look at in a real browser."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_S = 280


def get(url: str, data: bytes | None = None) -> Any:
    with urllib.request.urlopen(url, data=data, timeout=30) as answer:
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


def opened(url: str, directory: Path, picture: str) -> tuple[str, list[str]]:
    """The page's elements and console messages; its picture is kept where NRT_ARTEFACTS says, if it does."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed, so the tab was not looked at in one")
    kept = Path(os.environ.get("NRT_ARTEFACTS", directory))
    common = [
        browser, "--headless", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={directory / 'profile'}",
        "--virtual-time-budget=8000", "--window-size=1400,2400", *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]  # fmt: skip
    subprocess.run([*common, f"--screenshot={kept / picture}", url], capture_output=True, timeout=TIMEOUT_S, check=True)
    assert (kept / picture).stat().st_size > 10_000
    done = subprocess.run([*common, "--dump-dom", url], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

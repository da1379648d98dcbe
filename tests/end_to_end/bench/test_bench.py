"""`harness bench throughput` on a real stack, at a rate that any machine holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_it_says_what_was_held_what_the_floor_is_and_where_the_cpu_went(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "bench", "throughput", "--rate", "30", "--duration", "24s", "--records",
         "500", "--out", tmp_path / "run", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["reasons"]) == (0, "pass", [])
    assert found["pipeline"]["files"]["merged"] == 12
    assert found["floor"]["files_per_min"] > 0
    assert found["share_of_floor"] > 0
    spent = found["pipeline"]["cpu_ms_per_file"]
    for component in ("generator", "locust", "handler", "gateway", "emulator: s3", "emulator: sqs"):
        assert spent[component] > 0, component


def test_a_rate_that_is_none_is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "bench", "throughput", "--rate", "none"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is not a rate of files" in done.stderr

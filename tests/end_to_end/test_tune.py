"""`harness tune memory` with the real handler: points for every pair of sizes, held to their share of a CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_tune_memory(tmp_path: Path) -> None:
    report = tmp_path / "tune.html"
    command = [sys.executable, "-m", "harness", "tune", "memory", "--memory", "512,1769", "--batch", "1,3",
               "--repeat", "2", "--records", "2000", "--json", "--report", "html", "--out", str(report)]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    points = {(one["memory_mb"], one["batch"]): one for one in found["points"]}
    assert set(points) == {(512, 1), (512, 3), (1_769, 1), (1_769, 3)}
    for one in points.values():
        assert one["problem"] is None
        # what the handler computed fits into its share of the time it took, and the little a period can hold
        assert one["cpu_s"] <= one["cpu_share"] * one["latency_max_s"] + 0.1
    assert points[512, 1]["usd"] < points[1_769, 1]["usd"] * 3.5
    assert found["recommended"] in found["points"]
    assert "<script src=" not in report.read_text(encoding="utf-8")


def test_sizes_that_are_none_are_refused() -> None:
    for option, value in (("--memory", "64"), ("--memory", "much"), ("--batch", "0"), ("--type", "nothing")):
        command = [sys.executable, "-m", "harness", "tune", "memory", option, value]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 2, result.stderr
        assert value in result.stderr
        assert "Traceback" not in result.stderr

"""Scenarios whose faults need their own times: run as they are, on the pipeline of this repository."""

from pathlib import Path

import pytest

from harness import catalogue
from tests.end_to_end.conftest import ROOT, Harness
from tests.mutants.trial import AS_THEY_ARE

LONG_S = 900


@pytest.mark.slow
@pytest.mark.timeout(LONG_S)
@pytest.mark.parametrize("name", sorted(AS_THEY_ARE))
def test_it_ends_with_its_documented_verdict(name: str, long_harness: Harness, tmp_path: Path) -> None:
    finished = long_harness("run", name, "--json", "--out", tmp_path / "run", "--pipeline", ROOT / "pipeline.toml")
    verdict = finished.json
    assert verdict["verdict"] == catalogue.scenario(name).ends_with, verdict["checks"]
    faults = next(check for check in verdict["checks"] if check["name"] == "faults")
    for timed in catalogue.scenario(name).faults:
        assert timed.fault.name in faults["detail"]

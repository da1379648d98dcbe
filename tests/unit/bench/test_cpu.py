"""CPU by component: read from the kernel, and told apart."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.bench import cpu


def test_a_tree_holds_the_process_and_its_children_with_what_they_took() -> None:
    burn = "sum(i * i for i in range(2_000_000)); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = {process.pid: process for process in cpu.tree(os.getpid())}
        child.communicate("\n")
    assert found[child.pid].own_s > 0
    assert found[os.getpid()].own_s > 0


def test_a_process_that_is_gone_has_no_tree() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert list(cpu.tree(child.pid)) == []


def test_the_emulator_is_told_apart_by_service_and_the_rest_is_what_the_kernel_counts_more(tmp_path: Path) -> None:
    cpu_file = tmp_path / "cpu.json"
    cpu_file.write_text(json.dumps({"s3": 0.001, "sqs": 0.002}))
    pids = dict.fromkeys(("supervisor", "redshift", "postgres", "emulator"), os.getpid())
    found = cpu.Sources(pids, cpu_file).look()
    own_s = next(cpu.tree(os.getpid())).own_s
    assert found["emulator: s3"] == 0.001
    assert found[cpu.EMULATOR_REST] == pytest.approx(own_s - 0.003, abs=0.05)


def test_between_counts_from_the_look_nearest_to_the_beginning_to_the_last_before_the_end() -> None:
    sources = cpu.Sources({}, Path("none"))
    meter = cpu.Meter(sources, [(0.0, {"a": 1.0}), (10.0, {"a": 3.0, "b": 1.0}), (20.0, {"a": 9.0, "b": 5.0})])
    assert meter.between(0.0, 10.0) == {"a": 2.0, "b": 1.0}
    assert meter.between(9.0, 30.0) == {"a": 6.0, "b": 4.0}


def test_a_process_that_ended_counts_as_far_as_it_was_seen() -> None:
    meter = cpu.Meter(cpu.Sources({}, Path("none")), [(0.0, {}), (10.0, {"load": 3.0}), (20.0, {"load": 0.0})])
    assert meter.between(0.0, 20.0) == {"load": 3.0}


def test_what_ended_before_the_beginning_does_not_count() -> None:
    looks = [(0.0, {"generator": 1.0}), (10.0, {"generator": 9.0}), (20.0, {"b": 1.0}), (30.0, {"b": 4.0})]
    assert cpu.Meter(cpu.Sources({}, Path("none")), looks).between(20.0, 30.0) == {"b": 3.0}

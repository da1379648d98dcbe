"""How much CPU containers say they use, and what a run makes of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import container_use
from harness.container_use import ContainerUse, Teller
from harness.machine_use import Reading, of_containers
from harness.stack import compose

HERE, ELSEWHERE = "kernel-here", "kernel-elsewhere"
STAT = """cpu  1000 200 300 5000 60 40 20 80 7 7
cpu0 500 100 150 2500 30 20 10 40 7 7
cpu1 500 100 150 2500 30 20 10 40 0 0
intr 12345
"""


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """A container's control group, and its machine's /proc."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "sys/kernel/random/boot_id").write_text(f"{HERE}\n")
    (proc / "stat").write_text(STAT)
    (groups / "cpuacct").mkdir(parents=True)
    (groups / "cpuacct" / "cpuacct.usage").write_text("2500000000\n")
    return groups, proc


def test_a_container_reads_its_own_counter_and_the_machines(machine: tuple[Path, Path]) -> None:
    groups, proc = machine
    used = container_use.take("redshift", groups, proc)
    assert (used.container, used.kernel, used.cpus) == ("redshift", HERE, 2)
    assert used.own_s == 2.5
    assert used.busy_s == 16.4  # 1,640 ticks of 10 ms: neither idle, nor waiting for disks, nor guests' time twice
    (groups / "cpu.stat").write_text("usage_usec 3500000\nuser_usec 3000000\nsystem_usec 500000\n")
    assert container_use.take("redshift", groups, proc).own_s == 3.5, "control groups of version 2"


def test_where_nothing_counts_nothing_is_told(tmp_path: Path, machine: tuple[Path, Path]) -> None:
    _, proc = machine
    Teller(tmp_path, "redshift", tmp_path / "nowhere", proc).keep_telling(None)  # type: ignore[arg-type]
    assert container_use.read_all(tmp_path) == []


def test_a_service_that_was_killed_counts_on(tmp_path: Path, machine: tuple[Path, Path]) -> None:
    groups, proc = machine
    Teller(tmp_path, "redshift", groups, proc).tell()
    (groups / "cpuacct" / "cpuacct.usage").write_text("500000000\n")  # another control group
    again = Teller(tmp_path, "redshift", groups, proc)
    again.tell()
    again.tell()
    (told,) = container_use.read_all(tmp_path)
    assert told.own_s == 3.0


def test_it_is_told_for_as_long_as_the_container_is_there(tmp_path: Path) -> None:
    try:
        container_use.take("here")
    except OSError as error:
        pytest.skip(f"this machine's control groups do not count CPU time: {error}")
    with container_use.told(tmp_path, "run-1"):
        while not (found := container_use.read_all(tmp_path)):
            pass
        assert found[0].container == "run-1"
        assert found[0].kernel == container_use.kernel_of()
    assert list(tmp_path.iterdir()) == []


def told(at_s: float, busy_s: float, **own_s: float) -> list[ContainerUse]:
    return [ContainerUse(name, HERE, at_s, used_s, busy_s, 2) for name, used_s in own_s.items()]


BEFORE = told(100.0, 50.0, localstack=10.0, redshift=5.0)


def shares(before: list[ContainerUse], after: list[ContainerUse], kernel: str = ELSEWHERE) -> tuple[float, float]:
    first, last = of_containers(before, kernel), of_containers(after, kernel)
    assert first is not None
    assert last is not None
    used = last.used_since(first)
    assert used["elapsed_s"] == 10.0
    return used["own_share"], used["others_share"]


def test_what_no_container_of_ours_took_others_did() -> None:
    """Of two CPUs in ten seconds, 20 s, others took 16: a starved run. Or 2: one that was not."""
    assert shares(BEFORE, told(110.0, 70.0, localstack=12.0, redshift=7.0)) == (0.2, 0.8)
    assert shares(BEFORE, told(110.0, 70.0, localstack=24.0, redshift=9.0)) == (0.9, 0.1)


def test_containers_that_come_and_go_are_counted_as_far_as_they_are_known() -> None:
    before = [*BEFORE, *told(100.0, 50.0, harness=7.0)]
    after = told(110.0, 70.0, localstack=12.0, redshift=7.0, worker=4.0)
    assert shares(before, after) == (0.4, 0.6)


def test_a_harness_on_the_same_kernel_counts_itself_and_one_beside_a_virtual_machine_does_not() -> None:
    here, elsewhere = of_containers(BEFORE, HERE), of_containers(BEFORE, ELSEWHERE)
    assert here is not None
    assert elsewhere is not None
    assert here.own_s.keys() - elsewhere.own_s.keys() == {"processes"}
    assert here.own_s["processes"] > 0


def test_nothing_is_said_unless_each_service_told_it_lately() -> None:
    localstack, redshift = BEFORE
    assert of_containers([], HERE) is None
    assert of_containers([redshift], HERE) is None
    assert of_containers([redshift, replace(localstack, at_s=85.0)], HERE) is None
    assert of_containers([redshift, replace(localstack, at_s=95.0)], HERE) is not None


def test_inside_the_project_the_volume_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for said in BEFORE:
        (tmp_path / f"cpu-{said.container}.json").write_text(json.dumps(said.__dict__) + "\n")
    monkeypatch.setattr(compose, "EXCHANGE", tmp_path)
    monkeypatch.setenv("NRT_INSIDE_COMPOSE", "1")
    assert sorted(compose.told_use(), key=lambda used: used.container) == BEFORE
    reading = of_containers(compose.told_use(), HERE)
    assert isinstance(reading, Reading)
    assert reading.own_s == {"localstack": 10.0, "redshift": 5.0}, "its own container tells of itself"

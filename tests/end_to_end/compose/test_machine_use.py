"""Functions that time out while others have the CPU convict nobody; while the stack itself has it, they do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from testcontainers.compose import DockerCompose

from tests.end_to_end.compose.conftest import PROJECT, ROOT, docker, run_inside

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

RUN = ("run", "smoke", "--realtime", "--rate", "60/min", "--duration", "4s", "--records", "200", "--json")
BUSY = "while :; do :; done"
HOGS = 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="module")
def sleeper_file(pipeline_file: Path) -> Iterator[Path]:
    """The pipeline with a handler that times out, once for each file."""
    text = pipeline_file.read_text()
    for usual, unusual in (
        ('handler = "handler.app.handler"', 'handler = "tests.end_to_end.compose.sleeper.handler"'),
        ("timeout_s = 15", "timeout_s = 3"),
        ("max_receive_count = 3", "max_receive_count = 1"),
    ):
        assert usual in text
        text = text.replace(usual, unusual)
    path = pipeline_file.with_name(f".sleeper-{os.getpid()}.toml")
    path.write_text(text)
    yield path
    path.unlink()


@contextmanager
def others_take_the_cpu() -> Iterator[None]:
    """As much of it as they can get with the tests' own priority."""
    hogs = [subprocess.Popen(["sh", "-c", BUSY]) for _ in range(HOGS)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


@contextmanager
def the_stack_takes_the_cpu() -> Iterator[None]:
    """The same, in a container of its own."""
    container = f"{PROJECT}-localstack-1"
    hogs = [
        subprocess.Popen(["docker", "exec", container, "timeout", "120", "sh", "-c", BUSY]) for _ in range(HOGS)
    ]  # fmt: skip
    try:
        yield
    finally:
        docker("exec", container, "python3", "-c", END_HOGS)
        for hog in hogs:
            hog.wait()


END_HOGS = f"""
import os, signal
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        words = open(f'/proc/{{pid}}/cmdline').read().split(chr(0))
    except OSError:
        continue
    if words[-2:-1] == [{BUSY!r}]:
        os.kill(int(pid), signal.SIGKILL)
"""


def judged(output: str, run: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The verdict, its check of the run, and how much of the CPU was whose."""
    verdict = json.loads(output)
    complete = next(check for check in verdict["checks"] if check["name"] == "run_complete")
    events = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    assert [event["status"] for event in events if event["event"] == "invocation"].count("timeout") >= 1
    (use,) = [event for event in events if event["event"] == "machine_use"]
    return verdict, complete, use


def test_a_run_that_others_starved_is_inconclusive(project: DockerCompose, sleeper_file: Path, tmp_path: Path) -> None:
    del project
    with others_take_the_cpu():
        done = subprocess.run(
            [sys.executable, "-m", "harness", *RUN, "--stack", "compose", "--pipeline", sleeper_file,
             "--out", tmp_path / "run"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 3, done.stderr + done.stdout
    verdict, complete, use = judged(done.stdout, tmp_path / "run")
    assert use["others_share"] > 0.5
    assert verdict["verdict"] == complete["verdict"] == "inconclusive"
    assert "invocations timed out while other programs took" in complete["detail"]


def test_a_run_whose_own_containers_have_the_cpu_is_not_excused(
    project: DockerCompose, sleeper_file: Path, compose_runs: Path
) -> None:
    del project
    with the_stack_takes_the_cpu():
        done = run_inside(*RUN, "--pipeline", f"/pipeline/{sleeper_file.name}", "--out", "runs/own")
    assert done.stdout, done.stderr
    verdict, complete, use = judged(done.stdout, compose_runs / "own")
    if use["others_share"] > 0.5:
        pytest.skip(f"others did have {use['others_share']:.0%} of the CPU, beside a stack that wanted all of it")
    assert use["own_share"] > 0.5
    assert verdict["verdict"] == "fail"
    assert complete["verdict"] == "pass"

"""Locust's page in the harness service, and further workers in containers of their own."""

import json
import os
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testcontainers.compose import DockerCompose

from tests.end_to_end.compose.conftest import ROOT, docker
from tests.end_to_end.web_page import answers, get, opened, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WORKERS = 2
FILES = 40
COMPOSE = ("compose", "--file", str(ROOT / "docker-compose.yml"), "--profile", "distributed")
# In real time: what is looked at is that each file comes once, not how fast, and a busy machine has an hour for it.
OPTIONS = {"rate": "240/min", "duration": "10s", "records": "100", "time_scale": "1", "seed": "1"}


@pytest.fixture(scope="module", autouse=True)
def quick_merges(pipeline_file: Path) -> Iterator[None]:
    """The project that this module starts has a pipeline that merges every 3 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NRT_PIPELINE_FILE", pipeline_file.name)
        yield


def page(path: str) -> str:
    return f"http://127.0.0.1:{os.environ['NRT_WEB_PORT']}{path}"


def workers_ready() -> bool:
    found = get(page("/stats/requests")).get("workers", [])
    return sum(worker["state"] == "ready" for worker in found) == WORKERS + 1


def started_run(runs: Path, known: set[Path]) -> Path:
    (found,) = {path for path in runs.iterdir() if path.is_dir()} - known
    return found


def events(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]


def test_workers_share_one_schedule_and_the_page_shows_the_pipeline(
    project: DockerCompose, compose_runs: Path, tmp_path: Path
) -> None:
    del project
    until(lambda: answers(page("/pipeline/figures.json")))
    docker(*COMPOSE, "up", "--wait", "--no-recreate", "--scale", f"worker={WORKERS}", "worker")
    try:
        until(workers_ready)
        known = {path for path in compose_runs.iterdir() if path.is_dir()}
        assert get(page("/swarm"), urllib.parse.urlencode(OPTIONS).encode())["success"]
        until(lambda: any(row["final"] for row in get(page("/pipeline/figures.json")).get("rows", [])))
        dom, console = opened(page("/?tab=pipeline"), tmp_path, "compose-locust-pipeline-tab.png")
        assert console == []
        assert all(heading in dom for heading in ("Queue Depth", "Stage Rows", "Final Rows", "Dead Letters"))
        opened(page("/"), tmp_path, "compose-locust-statistics.png")
        verdict = until(lambda: get(page("/pipeline/figures.json"))["verdict"])
        assert verdict["verdict"] in ("pass", "fail", "inconclusive"), verdict
    finally:
        docker(*COMPOSE, "rm", "--stop", "--force", "worker")
    run = started_run(compose_runs, known)
    happened = events(run)
    planned = {event["key"] for event in happened if event["event"] == "planned"}
    uploaded = Counter(event["key"] for event in happened if event["event"] == "uploaded")
    assert len(planned) == FILES
    assert uploaded == dict.fromkeys(planned, 1)
    judged = json.loads((run / "verdict.json").read_text())
    assert judged["records"]["lost"] == judged["records"]["duplicated"] == 0

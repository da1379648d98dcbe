"""`locust -f scenarios/….py` against a stack that is up: alone, with workers, and in a browser."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.aws import Aws
from harness.stack.endpoints import endpoints_from_json
from harness.stack.processes import free_port
from tests.end_to_end.conftest import ROOT
from tests.end_to_end.web_page import TIMEOUT_S, answers, get, opened, until

LOCUST = Path(sys.executable).with_name("locust")
FILES = 20
LOAD = ("--rate", "240/min", "--duration", "5s", "--records", "200")
TYPES = ("clicks", "inventory", "orders", "payments")
STAGES = ("upload", "staged", "available")


@dataclass(frozen=True)
class Site:
    """A directory with a pipeline in it and a stack that is up."""

    directory: Path
    status: dict[str, Any]

    def start(self, scenario: str, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [LOCUST, "-f", ROOT / "scenarios" / f"{scenario}.py", *arguments],
            cwd=self.directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, scenario: str, *arguments: str) -> tuple[int, str]:
        process = self.start(scenario, "--headless", *arguments)
        output, _ = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, output

    def events(self, run: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / run / "ledger.jsonl").read_text().splitlines()]

    def verdict(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / run / "verdict.json").read_text())
        return found

    def objects(self) -> set[str]:
        s3 = Aws(endpoints_from_json(self.status)).s3
        keys = {found["Key"] for found in s3.list_objects_v2(Bucket="landing").get("Contents", [])}
        s3.close()
        return {key for key in keys if not key.startswith("_")}

    def forget_objects(self) -> None:
        s3 = Aws(endpoints_from_json(self.status)).s3
        for key in self.objects():
            s3.delete_object(Bucket="landing", Key=key)
        s3.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("locust")
    text = (ROOT / "pipeline.toml").read_text()
    text = text.replace("every_s = 900", "every_s = 180").replace('"handler/sql/', f'"{ROOT}/handler/sql/')
    (directory / "pipeline.toml").write_text(text)
    harness = [sys.executable, "-m", "harness"]
    up = subprocess.run([*harness, "up", "--json"], cwd=directory, capture_output=True, text=True, check=True)
    yield Site(directory, json.loads(up.stdout))
    subprocess.run([*harness, "down"], cwd=directory, capture_output=True, check=True)


def percentile_as_locust_ranks(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def latencies_ms(events: list[dict[str, Any]]) -> dict[tuple[str, str], list[float]]:
    """What the ledger knows of each stage and type, counted from the intended times."""
    planned = {event["key"]: event for event in events if event["event"] == "planned"}
    start_s = next(event["start_at_s"] for event in events if event["event"] == "load_started")
    found: dict[tuple[str, str], list[float]] = {(stage, name): [] for stage in STAGES for name in TYPES}

    def add(stage: str, key: str, at_s: float) -> None:
        found[stage, planned[key]["type"]].append((at_s - start_s - planned[key]["file_at_s"]) * 1000)

    for event in events:
        if event["event"] == "uploaded":
            add("upload", event["key"], event["acknowledged_s"])
        if event["event"] == "invocation":
            for line in event["log_lines"]:
                if line.get("event") == "file_loaded":
                    add("staged", line["file"], line["committed_at_s"])
        if event["event"] == "merged":
            for key in event["keys"]:
                add("available", key, event["committed_s"])
    return found


def assert_each_file_was_uploaded_once(site: Site, run: str) -> None:
    events = site.events(run)
    planned = {event["key"] for event in events if event["event"] == "planned"}
    uploaded = Counter(event["key"] for event in events if event["event"] == "uploaded")
    assert len(planned) == FILES
    assert uploaded == dict.fromkeys(planned, 1)
    assert all(event["attempts"] == 1 for event in events if event["event"] == "uploaded")
    assert site.objects() == planned


def test_two_workers_share_one_schedule_and_the_percentiles_are_those_of_the_ledger(site: Site) -> None:
    site.forget_objects()
    exit_code, output = site.run("smoke", "--processes", "2", *LOAD, "--out", "two", "--csv", "two")
    assert exit_code == 0, output
    assert site.verdict("two")["verdict"] == "pass"
    assert output.count(f"has offered its share of {FILES // 2} files") == 2, output
    assert_each_file_was_uploaded_once(site, "two")

    measured = latencies_ms(site.events("two"))
    with (site.directory / "two_stats.csv").open() as file:
        rows = {(row["Type"], row["Name"]): row for row in csv.DictReader(file) if row["Type"]}
    assert set(rows) == set(measured)
    for stage_and_type, values in measured.items():
        row = rows[stage_and_type]
        assert int(row["Request Count"]) == len(values) == FILES // len(TYPES)
        assert int(row["Failure Count"]) == 0
        for column, share in (("50%", 0.5), ("95%", 0.95), ("100%", 1.0)):
            expected = percentile_as_locust_ranks(values, share)
            # Locust keeps two digits of each value
            assert float(row[column]) == pytest.approx(expected, rel=0.06, abs=1.0), (stage_and_type, column)


def test_without_a_stack_there_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pipeline.toml", tmp_path)
    exit_code, output = Site(tmp_path, {}).run("smoke")
    assert exit_code == 2, output
    assert "harness: no stack is up: start one here with `harness up`, then start the test again" in output
    assert "Traceback" not in output


def test_a_mistake_in_an_option_is_said_in_one_line(site: Site) -> None:
    exit_code, output = site.run("smoke", "--rate", "fast")
    assert exit_code == 2, output
    assert "harness: --rate: 'fast' is not a rate of files such as 100/min, 10/s or 3000/h" in output
    assert "Traceback" not in output


def test_every_scenario_is_a_locustfile() -> None:
    for file in (ROOT / "scenarios").glob("[a-z]*.py"):
        assert "Files = locust_user(scenario)" in file.read_text(), file
    listed = subprocess.run(
        [LOCUST, "-f", ROOT / "scenarios" / "poison.py", "--list"], capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == ["Available", "Users:", "Files"]


def test_the_pipeline_tab_follows_the_run_in_a_browser_and_stop_ends_everything(site: Site, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = site.start("smoke", "--web-port", str(port), "--rate", "120/min", "--duration", "30m", "--records", "100")
    try:
        until(lambda: answers(f"{url}/pipeline/figures.json"))
        listening = [found.laddr for found in psutil.Process(process.pid).net_connections() if found.status == "LISTEN"]
        assert {address.ip for address in listening} == {"127.0.0.1"}
        assert get(f"{url}/swarm", b"pipeline=/etc/passwd")["success"]
        figures = until(lambda: (found := get(f"{url}/pipeline/figures.json")).get("merges") and found)
        assert {row["type"] for row in figures["rows"]} == {*TYPES, "all types"}
        (total,) = (row for row in until(lambda: rows_with_final(url)) if row["type"] == "all types")
        assert total["uploaded"].endswith(" / 3600")
        assert total["final"] % 100 == 0
        dom, console = opened(f"{url}/?tab=pipeline", tmp_path, "locust-pipeline-tab.png")
        assert console == []
        for heading in ("Queue Depth", "In Flight", "Oldest (s)", "Stage Rows", "Final Rows", "Dead Letters"):
            assert heading in dom
        assert "all types" in dom
        assert "Merge runs" in dom
        assert '<iframe title="Live charts of the run"' in dom
        statistics, console = opened(f"{url}/", tmp_path, "locust-statistics.png")
        assert console == []
        assert all(f">{stage}<" in statistics for stage in STAGES)
        with urllib.request.urlopen(f"{url}/pipeline/live/", timeout=60) as page:
            assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
        # Locust answers when everything has ended, which it has a minute for
        get(f"{url}/stop", b"", timeout_s=90)
        verdict = until(lambda: get(f"{url}/pipeline/figures.json")["verdict"])
        assert verdict["verdict"] == "inconclusive"
        until(lambda: not psutil.Process(process.pid).children(recursive=True))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT_S)


def rows_with_final(url: str) -> Any:
    rows = get(f"{url}/pipeline/figures.json")["rows"]
    return rows if any(row["final"] for row in rows) else None


@pytest.mark.slow
def test_master_and_workers_started_one_by_one(site: Site) -> None:
    site.forget_objects()
    port = str(free_port())
    workers = [site.start("smoke", "--worker", "--master-port", port) for _ in range(2)]
    try:
        exit_code, output = site.run(
            "smoke", "--master", "--master-bind-port", port, "--expect-workers", "2", *LOAD, "--out", "master"
        )
    finally:
        for worker in workers:
            worker.terminate()
            worker.communicate(timeout=TIMEOUT_S)
    assert exit_code == 0, output
    assert output.count(f"has offered its share of {FILES // 2} files") == 2, output
    assert_each_file_was_uploaded_once(site, "master")


@pytest.mark.slow
def test_a_worker_that_is_killed_is_no_pass(site: Site) -> None:
    port = str(free_port())
    workers = [site.start("smoke", "--worker", "--master-port", port) for _ in range(2)]
    master = site.start(
        "smoke", "--headless", "--master", "--master-bind-port", port, "--expect-workers", "2", "--rate", "120/min",
        "--duration", "20s", "--records", "100", "--out", "killed",
    )  # fmt: skip
    ledger = site.directory / "killed" / "ledger.jsonl"
    try:
        until(lambda: ledger.exists() and '"event":"uploaded"' in ledger.read_text())
        workers[0].kill()
        output, _ = master.communicate(timeout=TIMEOUT_S)
    finally:
        for process in (*workers, master):
            process.kill()
            process.communicate(timeout=TIMEOUT_S)
    assert master.returncode == 3, output
    assert "is gone, and its share of the files with it" in output
    assert any(event["event"] == "problem" for event in site.events("killed"))


@pytest.mark.slow
def test_a_worker_that_is_silent_for_a_while_is_not_given_up(site: Site) -> None:
    """As on a machine with other things to do: Locust by itself takes it for missing after three seconds."""
    site.forget_objects()
    port = str(free_port())
    workers = [site.start("smoke", "--worker", "--master-port", port) for _ in range(2)]
    master = site.start(
        "smoke", "--headless", "--master", "--master-bind-port", port, "--expect-workers", "2", "--rate", "60/min",
        "--duration", f"{FILES}s", "--records", "100", "--out", "silent",
    )  # fmt: skip
    ledger = site.directory / "silent" / "ledger.jsonl"
    try:
        until(lambda: ledger.exists() and '"event":"uploaded"' in ledger.read_text())
        workers[0].send_signal(signal.SIGSTOP)
        time.sleep(8)
        workers[0].send_signal(signal.SIGCONT)
        output, _ = master.communicate(timeout=TIMEOUT_S)
    finally:
        for process in (*workers, master):
            process.kill()
            process.communicate(timeout=TIMEOUT_S)
    assert_each_file_was_uploaded_once(site, "silent")
    assert not any(event["event"] == "problem" for event in site.events("silent")), output
    # its files were late by what it was silent, which is no fault of the pipeline
    assert master.returncode == 3, output
    checks = {check["name"]: check["verdict"] for check in site.verdict("silent")["checks"]}
    assert {name for name, verdict in checks.items() if verdict != "pass"} == {"offered_rate_held"}

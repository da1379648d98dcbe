"""The live view: on loopback only, cheap, and in a real browser it follows a run."""

import gzip
import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.history import History
from harness.live import FRESH_FOR_S, REST_PER_WORK, Kept, live_view
from tests.end_to_end.web_page import Browser
from tests.unit.run_fixtures import FACTS, Run, dead_letter, good_run

CHARTS = 6
GOING_ON = good_run(8).without("merged", type="clicks").without("run_finished").without("drained")


def _get(url: str, path: str, host: str | None = None) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer, gzip.decompress(answer.read()).decode()
    finally:
        connection.close()


@pytest.fixture
def going_on() -> Iterator[tuple[str, History]]:
    history = GOING_ON.history
    with live_view(history, FACTS, "run-1") as url:
        yield url, history


def test_the_page_and_its_updates_show_the_run_so_far(going_on: tuple[str, History]) -> None:
    url, _ = going_on
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
    answer, page = _get(url, "/")
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/html; charset=utf-8")
    assert "The load is going on." in page
    answer, text = _get(url, "/live.json")
    news = json.loads(text)
    assert list(news["figures"]) == ["latency", "breakdown", "distribution", "arrivals", "waiting", "start_lag"]
    assert ["uploaded", "8 of 8", False] in news["tiles"]
    assert ["in final tables", "4", False] in news["tiles"]
    assert "4 files on the way" in news["figures"]["latency"]["summary"]
    assert "never" not in json.dumps(news["figures"]["latency"])


def test_before_the_load_there_are_no_charts_and_no_errors() -> None:
    empty = History()
    with live_view(empty, FACTS, "run-1") as url:
        assert "The load has not started yet." in _get(url, "/")[1]
        assert json.loads(_get(url, "/live.json")[1])["figures"] == {}


def test_dead_letters_and_late_files_are_marked() -> None:
    late: Run = GOING_ON.adding(dead_letter(1))
    with live_view(late.history, FACTS, "run-1") as url:
        tiles = {label: bad for label, _, bad in json.loads(_get(url, "/live.json")[1])["tiles"]}
    assert tiles["dead letters"]
    assert tiles["its SLA headroom"]  # the fixture's files are years old


def test_other_names_of_this_machine_get_nothing(going_on: tuple[str, History]) -> None:
    url, _ = going_on
    answer, text = _get(url, "/live.json", host="attacker.example")
    assert (answer.status, text) == (421, "not the name of this server\n")
    assert _get(url, "/../run.json")[0].status == 404


def test_nothing_listens_after_the_run() -> None:
    with live_view(History(), FACTS, "run-1") as url:
        pass
    with pytest.raises(ConnectionRefusedError):
        _get(url, "/")


def test_a_history_that_grows_meanwhile_is_no_error(going_on: tuple[str, History]) -> None:
    url, history = going_on
    before = json.loads(_get(url, "/live.json")[1])
    for event in GOING_ON.events:
        history.apply(event)
    assert before["figures"]


def test_what_costs_much_is_made_seldom() -> None:
    now_s, made = 100.0, 0

    def make() -> str:
        nonlocal now_s, made
        made += 1
        now_s += 0.5
        return str(made)

    kept = Kept(make, clock=lambda: now_s)
    for _ in range(1_000):
        kept.packed()
        now_s += 0.1
    asked_for_s = now_s - 100.0
    assert made * 0.5 / asked_for_s <= 1.1 / REST_PER_WORK
    now_s += FRESH_FOR_S + 0.5 * REST_PER_WORK
    assert gzip.decompress(kept.packed()).decode() == str(made)


def test_a_browser_draws_all_charts_and_takes_updates(going_on: tuple[str, History], browser: Browser) -> None:
    url, _ = going_on
    dom, console = browser.open(url)
    assert console == []
    said = dict(re.findall(r' data-(drawn|updates)="(\d+)"', dom.partition("<head>")[0]))
    assert said["drawn"] == str(CHARTS)
    assert int(said["updates"]) >= 1


def test_a_run_with_live_serves_it_until_its_end(tmp_path: Path, quick_pipeline: Path) -> None:
    command = [
        sys.executable, "-m", "harness", "run", "smoke", "--pipeline", quick_pipeline, "--duration", "4s",
        "--records", "500", "--out", "run", "--live",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        url, news = "", {"figures": {}}
        for line in process.stderr:
            if found := re.search(r"live view: (http://\S+)", line):
                url = found[1]
            if "offering" in line:
                break
        while not news["figures"]:
            news = json.loads(_get(url, "/live.json")[1])
            time.sleep(0.1)
        process.stderr.read()
        assert process.wait() == ExitCode.PASS
    assert (tmp_path / "run" / "report.html").exists()
    assert "latency" in news["figures"]
    with pytest.raises(ConnectionRefusedError):
        _get(url, "/")

"""What the harness makes of Locust's workers: of what they say, and of those that go away."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import ExitCode
from harness.history import History
from harness.ledger import Ledger
from harness.load import conduct
from harness.load.schedule import PlannedFile
from harness.offer import Offer, prepare_feed
from harness.stack.endpoints import Endpoints, Redshift

NOWHERE = Redshift("127.0.0.1", 1, "dev", "nrt", "secret", None)
FILES = [PlannedFile(index, "orders", f"orders/{index}", float(index), 1, f"f{index}") for index in range(6)]


def uploaded(index: int) -> dict[str, Any]:
    return {"event": "uploaded", "index": index, "key": f"orders/{index}", "started_s": 1.0, "acknowledged_s": 2.0}


def history_of(directory: Path, *said: dict[str, Any]) -> History:
    """What becomes known when this arrives from Locust."""
    history = History()
    ledger = Ledger(directory / "ledger.jsonl", history.apply)
    for file in FILES:
        ledger.append("planned", index=file.index, type=file.type, key=file.key, records=1, file_at_s=file.at_s)
    endpoints = Endpoints(
        "embedded", "http://127.0.0.1:1", "us-east-1", NOWHERE, NOWHERE, directory, directory, directory, None, {}
    )
    offer = Offer(prepare_feed(directory / "feed", FILES, []), 1, "landing", endpoints, directory)
    with ExitStack() as cleanup:
        conduct.LocustLoad([json.dumps(event) for event in said]).make(offer, ledger, cleanup)()
    ledger.finish(interrupted=False)
    return history


def test_files_of_a_worker_that_is_gone_may_be_there_or_not(tmp_path: Path) -> None:
    """Of its share it had said what became of the first; the others are accounted for, whoever finds them."""
    history = history_of(
        tmp_path, {"event": "ready", "start_at_s": 100.0}, uploaded(0),
        {"event": "worker_gone", "share": [0, 2], "text": "Locust's worker a ended before its share was offered"},
        uploaded(1), uploaded(3), uploaded(5), {"event": "finished"},
    )  # fmt: skip
    outcomes = {file.index: file.upload_outcome for file in history.files.values()}
    assert outcomes == {0: "uploaded", 1: "uploaded", 2: "unknown", 3: "uploaded", 4: "unknown", 5: "uploaded"}
    assert history.problems == ["Locust's worker a ended before its share was offered"]


def test_a_worker_that_comes_back_is_heard_again(tmp_path: Path) -> None:
    history = history_of(
        tmp_path, {"event": "worker_gone", "share": [0, 2], "text": "gone"}, uploaded(2), {"event": "finished"}
    )
    file = history.files["orders/2"]
    assert (file.upload_outcome, file.acknowledged_s) == ("uploaded", 2.0)


@pytest.fixture
def leader(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[str]], Any]:
    """Makes a leader that has shared a schedule out to two workers, of which these are still there."""
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")  # this process has its threads
    from locust.runners import MasterRunner

    from harness.load.lead import Leader, Options

    class Master(MasterRunner):  # type: ignore[misc]  # Locust is not typed
        """One that listens to nobody."""

        def __init__(self, here: set[str]) -> None:
            self.clients = SimpleNamespace(all=[SimpleNamespace(id=client, state="running") for client in here])

        def __del__(self) -> None:
            """There is nothing to end."""

    def make(here: set[str]) -> Any:
        environment = SimpleNamespace(runner=Master(here))
        made = Leader(environment, Options(Path("s.py"), Path("pipeline.toml"), ""))  # type: ignore[arg-type]
        made._shares = {"a": 0, "b": 1}
        made._unfinished = {"a", "b"}
        told: list[str] = []
        made._conductor = SimpleNamespace(
            stdin=SimpleNamespace(closed=False, write=told.append, flush=lambda: None), told=told
        )
        return made

    return make


def told(leader: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in leader._conductor.told]


def test_the_leader_says_whose_share_is_without_a_worker(leader: Callable[[set[str]], Any]) -> None:
    made = leader({"a"})
    made.look_after_workers()
    (gone,) = told(made)
    assert (gone["event"], gone["share"]) == ("worker_gone", [1, 2])
    made.look_after_workers()
    assert len(told(made)) == 1


def test_after_the_end_of_the_load_nothing_is_said_to_who_reads_no_more(leader: Callable[[set[str]], Any]) -> None:
    """The pipe would fill up, and whoever writes to it wait for ever."""
    made = leader({"a"})
    made.look_after_workers()
    made.take(None, SimpleNamespace(node_id="a", data={"event": "share_finished", "offered": 3}))
    made.take(None, SimpleNamespace(node_id="b", data=uploaded(1)))
    assert [said["event"] for said in told(made)] == ["worker_gone", "finished"]


def test_the_conducting_process_can_be_interrupted_also_when_its_parent_was_started_in_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handlers = []

    def note(_options: object) -> ExitCode:
        handlers.append(signal.getsignal(signal.SIGINT))
        return ExitCode.PASS

    monkeypatch.setattr(conduct, "conduct", note)
    monkeypatch.setattr(conduct, "end_with_parent", lambda: None)
    monkeypatch.setattr(sys, "argv", ["conduct", "--scenario", "s.py", "--pipeline", "pipeline.toml", "--seed", "1"])
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        conduct.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert handlers == [signal.default_int_handler]


@pytest.mark.parametrize(("begun", "number", "code"), [(False, signal.SIGKILL, 3), (True, signal.SIGINT, 4)])
def test_a_run_that_is_stopped_before_it_has_begun_was_stopped_and_did_not_fail(
    leader: Callable[[set[str]], Any], begun: bool, number: signal.Signals, code: int
) -> None:
    """Once it has begun it judges itself, so one that then ends without a verdict has failed."""
    made, sent = leader({"a", "b"}), []
    if begun:
        made._on_begun({})

    def end(signal_number: signal.Signals) -> None:
        sent.append(signal_number)
        made.ended.set()

    made._conductor.send_signal = end
    made._conductor.stdin.close = made._conductor.told.clear
    made.stop()
    assert sent == [number]
    made._conductor.stdout, made._conductor.returncode = Silent(), -number
    made._conductor.wait = lambda: -number
    made._listen(made._conductor)
    assert made.environment.process_exit_code == code
    assert ("stopped before the run had begun" in made.verdict["text"]) is not begun


class Silent:
    """Standard output of a process that has ended without a word."""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def close(self) -> None:
        """There is nothing to close."""


def test_a_run_that_is_interrupted_before_there_is_a_ledger_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_options: object) -> ExitCode:
        raise KeyboardInterrupt

    monkeypatch.setattr(conduct, "conduct", interrupted)
    monkeypatch.setattr(conduct, "end_with_parent", lambda: None)
    monkeypatch.setattr(sys, "argv", ["conduct", "--scenario", "s.py", "--pipeline", "pipeline.toml", "--seed", "1"])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert conduct.main() == ExitCode.INCONCLUSIVE
    finally:
        signal.signal(signal.SIGINT, before)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in said] == ["begun", "error"]
    assert said[1]["exit_code"] == 3

"""The harness's part of a scenario that Locust runs: everything but making and uploading the files.

In: the words of the `locust` command line, and on standard input what the load said, one JSON object a line. Out: a run
directory as `harness run` leaves it, and on standard output, one JSON object a line:
{"event": "begun"} once SIGINT is listened to; {"event": "live", "url"}; {"event": "prepared", "schedule", "datasets"
(paths), "seed", "bucket", "endpoint", "remote", "files"}; {"event": "go"} when the schedule may begin;
{"event": "latency", "stage": "staged|available", "type", "ms"}; {"event": "panel", …} for the Pipeline tab;
{"event": "judged", "verdict", "exit_code", "text", "run"}; {"event": "error", "text", "exit_code"}.

It is a process of its own because it connects to databases, which would hold Locust's event loop.
"""

import argparse
import importlib.util
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness import interruption, local_stack
from harness.command_run import facts_of, judged, record, request_of, shaped
from harness.errors import ExitCode, HarnessError, UsageError
from harness.history import History
from harness.ledger import Event, Ledger
from harness.load.lifetime import end_with_parent
from harness.load.schedule import Share, read_schedule
from harness.locust_tab.panel import Latencies, Panel
from harness.offer import Offer, append
from harness.progress import Progress
from harness.quantities import Duration, Rate
from harness.run import RunRequest
from harness.run_directory import create
from harness.scenario import Scenario
from harness.stack.compose import compose
from harness.stack.embedded import is_running
from harness.stack.endpoints import Endpoints, read_endpoints
from harness.verdict_text import verdict_text

_saying = threading.Lock()
# What a worker says of a file once its upload is over
OUTCOMES = {"uploaded", "upload_failed", "dropped"}


def say(event: str, **fields: object) -> None:
    """Tell Locust; the run goes on when it does not listen any more, as its end is seen on standard input."""
    with _saying:
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()


class LocustLoad:
    """The load as Locust's workers make it: what they say arrives on standard input, or on another `source`."""

    def __init__(self, source: Iterable[str] = sys.stdin) -> None:
        self._source = source
        self._sent = threading.Event()
        self._heard_of: set[int] = set()

    def make(self, offer: Offer, ledger: Ledger, cleanup: ExitStack) -> Callable[[], None]:
        cleanup.callback(self._sent.set)
        say(
            "prepared", schedule=str(offer.feed.schedule), datasets=str(offer.feed.datasets), seed=offer.seed,
            bucket=offer.bucket, endpoint=offer.endpoints.aws_endpoint_url, remote=offer.endpoints.inside is not None,
        )  # fmt: skip
        return lambda: self._listen(offer.feed.schedule, ledger)

    def send(self, offer: Offer, ledger: Ledger, cleanup: ExitStack) -> Callable[[], None]:
        del offer, ledger, cleanup  # it is all in what `make` listens to
        say("go")
        return self._wait_for_the_last

    def _wait_for_the_last(self) -> None:
        self._sent.wait()

    def _listen(self, schedule: Path, ledger: Ledger) -> None:
        try:
            for line in self._source:
                said: dict[str, Any] = json.loads(line)
                if said["event"] == "finished":
                    return
                if said["event"] == "failed":
                    raise HarnessError(said["error"])
                if said["event"] in OUTCOMES:
                    self._heard_of.add(said["index"])
                if said["event"] == "worker_gone":
                    ledger.append("problem", text=said["text"])
                    self._give_up(Share(*said["share"]), schedule, ledger)
                append(said, ledger)
            if not self._sent.is_set():
                raise HarnessError("Locust ended before the last upload")
        finally:
            self._sent.set()

    def _give_up(self, share: Share, schedule: Path, ledger: Ledger) -> None:
        """Any of a gone worker's files may have been uploaded: what is found of them further on is not unexpected."""
        for file in share.take(read_schedule(schedule)):
            if file.index not in self._heard_of:
                ledger.append(
                    "upload_failed", index=file.index, key=file.key, error="its worker ended", outcome="unknown",
                    attempts=0,
                )  # fmt: skip


def _existing() -> Endpoints:
    """The stack that HARNESS_STATUS names, or that is up here."""
    named = os.environ.get("HARNESS_STATUS")
    if named:
        try:
            endpoints = read_endpoints(Path(named))
        except (OSError, ValueError) as error:
            raise UsageError(f"HARNESS_STATUS: {named}: {error}") from error
        if is_running(endpoints):
            return endpoints
        raise UsageError(f"HARNESS_STATUS: {named}: its stack is not running any more")
    found = local_stack.running()
    if found is None:
        raise UsageError("no stack is up: start one here with `harness up`, then start the test again")
    return found


def _scenario(path: Path) -> Scenario:
    specification = importlib.util.spec_from_file_location("nrt_scenario", path)
    assert specification is not None  # Locust has loaded it
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    found = getattr(module, "scenario", None)
    if not isinstance(found, Scenario):
        raise UsageError(f"{path}: `scenario` is not a Scenario")
    return found


def _quantity(kind: click.ParamType[float], option: str, text: str) -> float | None:
    try:
        return kind.convert(text, None, None) if text else None
    except click.BadParameter as error:
        raise UsageError(f"{option}: {error.message}") from error


def _number(option: str, text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a number") from None


def _request(options: argparse.Namespace) -> RunRequest:
    records = _number("--records", options.records)
    return request_of(
        _scenario(options.scenario), options.pipeline, rate=_quantity(Rate(), "--rate", options.rate),
        duration=_quantity(Duration(), "--duration", options.duration),
        time_scale=_number("--time-scale", options.time_scale), realtime=False,
        records=None if records is None else int(records), seed=options.seed, replay=None, resample=False,
        before_judging=None,
    )  # fmt: skip


def conduct(options: argparse.Namespace) -> ExitCode:
    """One run; returns the exit code of its verdict.

    Raises:
        HarnessError: it could not be run.
    """
    # whether a stack is up is told before what is wrong with the run's description
    existing = None if os.environ.get("NRT_STACK") == "compose" else _existing()
    request = _request(options)
    with ExitStack() as cleanup:
        endpoints = existing or cleanup.enter_context(compose(request.pipeline, _say))
        return _conduct(request, options.out, endpoints)


def _say(text: str) -> None:
    print(f"harness: {text}", file=sys.stderr, flush=True)


def _conduct(request: RunRequest, out: Path | None, endpoints: Endpoints) -> ExitCode:
    directory = create(out, request.scenario.name)
    request = shaped(request, directory)
    facts = facts_of(request, endpoints.stack)
    directory.write_facts(facts)
    latencies, panel = Latencies(), Panel(facts, request.pipeline, endpoints)

    def listen(event: Event, history: History) -> None:
        for latency in latencies.new(event, history):
            say("latency", stage=latency.stage, type=latency.type, ms=latency.ms)
        panel.note(event, history)

    with panel.shown(lambda figures: say("panel", **figures)):
        record(
            request, facts, directory, Progress(Console(stderr=True, force_terminal=False)), endpoints,
            live=lambda url: say("live", url=url), load=LocustLoad(), listener=listen,
        )  # fmt: skip
    judgement = judged(directory, request.scenario.checks)
    say(
        "judged", verdict=str(judgement.verdict), exit_code=int(judgement.exit_code), text=verdict_text(judgement),
        run=str(directory.path),
    )  # fmt: skip
    return judgement.exit_code


def main() -> int:
    """Run; errors are one event, too."""
    # By this Locust ends a run. A shell that starts something in the background has it ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_with_parent()
    parser = argparse.ArgumentParser(prog="python -m harness.load.conduct", description="Conduct a run for Locust.")
    parser.add_argument("--scenario", type=Path, required=True, metavar="FILE")
    parser.add_argument("--pipeline", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    for name in ("--rate", "--duration", "--time-scale", "--records"):
        parser.add_argument(name, default="")
    try:
        say("begun")
        return conduct(parser.parse_args())
    except KeyboardInterrupt:
        say("error", text=interruption.NOTHING_TO_JUDGE, exit_code=int(ExitCode.INCONCLUSIVE))
        return ExitCode.INCONCLUSIVE
    except HarnessError as error:
        say("error", text=str(error), exit_code=int(error.exit_code))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())

"""Offer a schedule to the landing bucket: the feeder makes the files, Locust uploads them, both in their own process.

In: a schedule and a stack. Out: what the two processes say, as events for the ledger. This process does none of the
work, so that nothing it does can delay an upload.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from generators.dataset import Dataset
from harness.errors import HarnessError
from harness.ledger import Ledger
from harness.load.schedule import PlannedFile, write_datasets, write_schedule
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, Endpoints
from harness.stack.processes import Child, spawn

# How many files wait on disk: enough to ride out a pause of the feeder, little enough to fit on it.
AHEAD_FILES = 64
# From the moment the dispatcher is ready to the first upload.
START_IN_S = 0.5
# The events of the load processes that are the ledger's business too
_LEDGER_EVENTS = {"made", "uploaded", "upload_failed", "dropped"}


@dataclass(frozen=True)
class Feed:
    """Where the schedule is written and the files wait."""

    schedule: Path
    datasets: Path
    files: Path


def prepare_feed(directory: Path, schedule: Iterable[PlannedFile], datasets: Iterable[Dataset]) -> Feed:
    """Write what the load processes read.

    Raises:
        HarnessError: the directory cannot be written.
    """
    feed = Feed(directory / "schedule.jsonl", directory / "datasets.json", directory / "files")
    try:
        feed.files.mkdir(parents=True)
        write_schedule(feed.schedule, schedule)
        write_datasets(feed.datasets, datasets)
    except OSError as error:
        raise HarnessError(f"{error.filename or directory}: {error.strerror}") from error
    return feed


def _environment(endpoints: Endpoints) -> dict[str, str]:
    if endpoints.on_aws is not None:  # as whom is the caller's to say
        return os.environ | {"AWS_DEFAULT_REGION": endpoints.region}
    return os.environ | {
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATOR_ACCESS_KEY,
        "AWS_DEFAULT_REGION": endpoints.region,
    }


def start_feeder(offer: "Offer") -> Child:
    """Start making files."""
    feed = offer.feed
    return spawn(
        "feeder",
        [sys.executable, "-m", "harness.load.feeder", "--schedule", feed.schedule, "--datasets", feed.datasets,
         "--directory", feed.files, "--seed", str(offer.seed), "--ahead-files", str(offer.ahead_files)],
        offer.logs / "feeder.log", environment=_environment(offer.endpoints), stdout=subprocess.PIPE,
    )  # fmt: skip


def start_dispatcher(feed: Feed, bucket: str, endpoints: Endpoints, logs: Path) -> Child:
    """Start Locust; it says when the schedule begins, once it is ready to keep to it."""
    # The addresses of a stack in containers are this machine's own, though not loopback; AWS is what was asked for.
    remote = ["--allow-remote"] if endpoints.inside or endpoints.on_aws else []
    target = ["--endpoint", endpoints.aws_endpoint_url] if endpoints.aws_endpoint_url else []
    return spawn(
        "dispatcher",
        [sys.executable, "-m", "harness.load.dispatch", "--schedule", feed.schedule, "--directory", feed.files,
         "--bucket", bucket, "--start-in", str(START_IN_S), *target, *remote],
        logs / "dispatcher.log", environment=_environment(endpoints), stdout=subprocess.PIPE,
    )  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """What is to be offered, and where to."""

    feed: Feed
    seed: int
    bucket: str
    endpoints: Endpoints
    logs: Path
    ahead_files: int = AHEAD_FILES


class Load(Protocol):
    """Who makes and uploads the files of a run.

    Both methods return work for a thread, which ends when the files are made, or uploaded; what happens meanwhile is
    appended to the ledger. `cleanup` ends what is still going on when the run is over.
    """

    def make(self, offer: Offer, ledger: Ledger, cleanup: ExitStack) -> Callable[[], None]: ...

    def send(self, offer: Offer, ledger: Ledger, cleanup: ExitStack) -> Callable[[], None]: ...


class OwnLoad:
    """The load of `harness run`: a feeder and a dispatcher of this run's own."""

    def make(self, offer: Offer, ledger: Ledger, cleanup: ExitStack) -> Callable[[], None]:
        feeder = start_feeder(offer)
        cleanup.callback(_end, feeder)
        return lambda: record(feeder, ledger)

    def send(self, offer: Offer, ledger: Ledger, cleanup: ExitStack) -> Callable[[], None]:
        dispatcher = start_dispatcher(offer.feed, offer.bucket, offer.endpoints, offer.logs)
        cleanup.callback(_end, dispatcher)
        return lambda: record(dispatcher, ledger)


def _end(child: Child) -> None:
    child.end()
    if child.process.stdout is not None:
        child.process.stdout.close()


def append(said: dict[str, Any], ledger: Ledger) -> None:
    """Append what a load process said, if it is the ledger's business."""
    event = said.pop("event")
    if event == "ready" and "start_at_s" in said:
        ledger.append("load_started", start_at_s=said["start_at_s"])
    if event in _LEDGER_EVENTS:
        said.pop("at_s", None)  # the ledger's own time is when it was seen
        ledger.append(event, **said)


def record(child: Child, ledger: Ledger) -> None:
    """Copy what a load process says into the ledger until it ends.

    Raises:
        HarnessError: it ended with an error; its own words.
    """
    assert child.process.stdout is not None  # spawned with a pipe
    for line in child.process.stdout:
        append(json.loads(line), ledger)
    if child.process.wait() != 0:
        raise HarnessError(f"the {child.name} ended with exit code {child.process.returncode}: {child.last_lines()}")

"""What each Locust worker does: make and upload its share of the schedule, at the intended times.

In: the master's messages. Out: what the feeder and the dispatcher say, sent to the master, and `upload` requests in
Locust's statistics. On one machine or on several: everything it needs comes with the messages.
"""

import json
import os
import sys
import zlib
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import gevent
from gevent import subprocess
from locust.env import Environment

from harness.errors import HarnessError
from harness.load.dispatcher import Dispatcher, Observation
from harness.load.schedule import PlannedFile, Share, read_schedule
from harness.load.upload import Uploader, check_endpoint
from harness.stack.directories import LOCUST, private_directory
from harness.stack.endpoints import EMULATOR_ACCESS_KEY, REGION

AHEAD_FILES = 64
MAX_IN_FLIGHT = 1_000
PATIENCE_S = 5.0
GRACE_S = 0.5


class Follower:
    """A worker's part of a run; there is one run at a time."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._directory = ExitStack()
        self._feeder: Any = None
        self._dispatcher: Dispatcher | None = None
        self._files: list[PlannedFile] = []
        self._greenlets: list[Any] = []

    def prepare(self, environment: Environment, msg: Any) -> None:
        """The master's message that there is a schedule: start to make this worker's share of it."""
        del environment
        self.stop()
        try:
            self._prepare(msg.data)
        except (HarnessError, OSError) as error:
            self._say("failed", error=str(error))

    def go(self, environment: Environment, msg: Any) -> None:
        """The master's message when offset 0 is."""
        del environment
        if self._dispatcher is not None:
            self._dispatcher.start_at_s = msg.data["start_at_s"]
            self._greenlets.append(gevent.spawn(self._offer, self._dispatcher, self._files))

    def stop(self, **_event: object) -> None:
        """End what is going on; uploads on their way are of unknown outcome then."""
        if self._dispatcher is not None:
            gevent.killall(self._greenlets, block=False)
            self._dispatcher.abandon(GRACE_S)
        self._clean_up()

    def _prepare(self, said: dict[str, Any]) -> None:
        check_endpoint(said["endpoint"], remote_allowed=said["remote"])
        # What the emulator accepts; real credentials never belong into a load test of a local stack.
        os.environ.update(
            AWS_ACCESS_KEY_ID=EMULATOR_ACCESS_KEY, AWS_SECRET_ACCESS_KEY=EMULATOR_ACCESS_KEY, AWS_DEFAULT_REGION=REGION
        )
        # What a worker that was killed has left goes now
        directory = self._directory.enter_context(private_directory(LOCUST))
        (directory / "files").mkdir()
        for name in ("schedule", "datasets"):
            (directory / name).write_bytes(zlib.decompress(said[name]))
        share = Share(*said["share"])
        self._files = share.take(read_schedule(directory / "schedule"))
        uploader = Uploader(said["endpoint"], said["bucket"], MAX_IN_FLIGHT)
        uploader.check()
        self._dispatcher = Dispatcher(
            uploader, directory / "files", 0.0, self._say, self._observe, MAX_IN_FLIGHT, PATIENCE_S
        )
        self._feeder = subprocess.Popen(
            [sys.executable, "-m", "harness.load.feeder", "--schedule", directory / "schedule", "--datasets",
             directory / "datasets", "--directory", directory / "files", "--seed", str(said["seed"]),
             "--ahead-files", str(AHEAD_FILES), "--share", f"{share.number}/{share.of}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self._greenlets = [gevent.spawn(self._relay, self._feeder)]

    def _relay(self, feeder: Any) -> None:
        for line in feeder.stdout:
            said = json.loads(line)
            self._say(said.pop("event"), **said)
        errors = feeder.stderr.read().strip()
        if feeder.wait() != 0:
            self._say("failed", error=f"the feeder ended with exit code {feeder.returncode}: {errors}")

    def _offer(self, dispatcher: Dispatcher, files: list[PlannedFile]) -> None:
        dispatcher.offer(files)
        # what the feeder says of the last file may come after its upload, and nobody listens after a share's end
        gevent.joinall([greenlet for greenlet in self._greenlets if greenlet is not gevent.getcurrent()])
        self._say("share_finished", **asdict(dispatcher.tally))
        self._clean_up()

    def _clean_up(self) -> None:
        feeder, self._feeder, self._dispatcher = self._feeder, None, None
        self._greenlets = []
        if feeder is not None:
            if feeder.poll() is None:
                feeder.kill()
            feeder.wait()
            feeder.stdout.close()
            feeder.stderr.close()
        self._directory.close()

    def _say(self, event: str, **fields: object) -> None:
        # `finished` of the feeder is not the end of the load
        if event != "finished":
            self._environment.runner.send_message("nrt_said", {"event": event, **fields})

    def _observe(self, observation: Observation) -> None:
        self._environment.events.request.fire(
            request_type="upload", name=observation.type, response_time=observation.response_ms,
            response_length=observation.size_bytes, exception=observation.error, context={},
        )  # fmt: skip

"""What the Locust master does, or the only process: have the harness conduct the run, and share the schedule out.

In: Locust's events, the workers' messages, and what the conducting process says. Out: one share for each worker,
`staged` and `available` requests in Locust's statistics, the figures of the Pipeline tab, the exit code of the verdict.
"""

import json
import logging
import signal
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import gevent.lock
from gevent import subprocess
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner

from harness import interruption
from harness.errors import ExitCode

logger = logging.getLogger(__name__)
# From the last worker's message to the first upload: each has to have got it.
START_IN_S = 1.0
JUDGED_WITHIN_S = 60.0
LOCAL = "local"


@dataclass(frozen=True)
class Options:
    """What the command line says once and for all."""

    scenario: Path
    pipeline: Path
    out: str


@dataclass
class Leader:
    """A run as Locust's master sees it; there is one at a time, and `ended` tells whether it goes on."""

    environment: Environment
    options: Options
    ended: gevent.event.Event = field(default_factory=gevent.event.Event)
    panel: dict[str, Any] = field(default_factory=dict)
    live_url: str | None = None
    verdict: dict[str, Any] = field(default_factory=dict)
    _conductor: Any = None
    _shares: dict[str, int] = field(default_factory=dict)
    _unfinished: set[str] = field(default_factory=set)
    _telling: gevent.lock.RLock = field(default_factory=gevent.lock.RLock)
    _all_told: bool = False
    _begun: bool = False
    _stopped: bool = False

    @property
    def workers(self) -> int:
        """How many take a share."""
        return len(self._shares) or self.environment.runner.worker_count

    def start(self, **_event: object) -> None:
        """Locust starts a test."""
        self.panel, self.verdict, self.live_url = {}, {}, None
        self._all_told = self._begun = self._stopped = False
        clients = self._clients()
        self._shares = {client: number for number, client in enumerate(sorted(clients))}
        self._unfinished = set(self._shares)
        asked = self.environment.parsed_options
        options = {
            "--scenario": self.options.scenario, "--pipeline": self.options.pipeline, "--out": self.options.out,
            "--seed": asked.seed, "--rate": asked.rate, "--duration": asked.duration,
            "--time-scale": asked.time_scale, "--records": asked.records,
        }  # fmt: skip
        self._conductor = subprocess.Popen(
            [sys.executable, "-m", "harness.load.conduct",
             *(f"{name}={value}" for name, value in options.items() if value not in (None, ""))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # Ctrl-C is for Locust, which then tells it
            start_new_session=True,
        )  # fmt: skip
        gevent.spawn(self._listen, self._conductor)

    def stop(self, **_event: object) -> None:
        """Locust ends the test; a run that is not over is judged as interrupted."""
        if self._conductor is None or self.ended.is_set():
            return
        self._stopped = True
        # As long as it is only being loaded it has nothing to undo, and might not notice.
        self._conductor.send_signal(signal.SIGINT if self._begun else signal.SIGKILL)
        # not its end of input, which could be seen before the signal and be taken for Locust's death
        self._tell({"event": "finished"})
        if not self.ended.wait(JUDGED_WITHIN_S):
            self._conductor.kill()
            self.ended.wait()

    def take(self, environment: Environment, msg: Any) -> None:
        """A worker said something."""
        del environment
        said = msg.data
        if said["event"] == "share_finished":
            client = msg.node_id if isinstance(self.environment.runner, MasterRunner) else LOCAL
            logger.info("worker %s has offered its share of %d files", client, said["offered"])
            self._finished(client)
        else:
            self._tell(said)

    def look_after_workers(self) -> None:
        """Say so when a worker that has a share is gone: nobody will say what became of its files."""
        here = self._clients()
        for client in sorted(self._unfinished - here):
            logger.error("worker %s is gone, and its share of the files with it", client)
            text = f"Locust's worker {client} ended before its share was offered"
            self._tell({"event": "worker_gone", "share": [self._shares[client], len(self._shares)], "text": text})
            self._finished(client)

    def _clients(self) -> set[str]:
        runner = self.environment.runner
        if not isinstance(runner, MasterRunner):
            return {LOCAL}
        return {client.id for client in runner.clients.all if client.state != STATE_MISSING}

    def _finished(self, client: str) -> None:
        self._unfinished.discard(client)
        if not self._unfinished:
            self._tell({"event": "finished"})

    def _tell(self, said: dict[str, Any]) -> None:
        with self._telling:
            # After its end of the load it reads no more: words that pile up in the pipe would block whoever says them.
            if self._conductor.stdin.closed or self._all_told:
                return
            self._all_told = said["event"] == "finished"
            try:
                self._conductor.stdin.write(json.dumps(said) + "\n")
                self._conductor.stdin.flush()
            except BrokenPipeError:
                logger.debug("the conducting process does not listen any more: %s", said["event"])

    def _listen(self, conductor: Any) -> None:
        try:
            for line in conductor.stdout:
                said = json.loads(line)
                getattr(self, f"_on_{said.pop('event')}")(said)
        finally:
            try:
                if conductor.wait() and not self.verdict:
                    self._say_how_it_ended(conductor.returncode)
            finally:  # also where nobody reads what is said any more: Locust waits for this
                if not conductor.stdin.closed:
                    conductor.stdin.close()
                conductor.stdout.close()
                self.ended.set()

    def _say_how_it_ended(self, returncode: int) -> None:
        text, code = f"the conducting process ended with exit code {returncode}", ExitCode.HARNESS_FAILED
        if self._stopped and not self._begun:
            text, code = interruption.NOTHING_TO_JUDGE, ExitCode.INCONCLUSIVE
        self._on_error({"text": text, "exit_code": int(code)})

    def _on_begun(self, said: dict[str, Any]) -> None:
        del said
        self._begun = True

    def _on_live(self, said: dict[str, Any]) -> None:
        self.live_url = said["url"]

    def _on_prepared(self, said: dict[str, Any]) -> None:
        packed = {name: zlib.compress(Path(said[name]).read_bytes()) for name in ("schedule", "datasets")}
        for client, number in self._shares.items():
            share = {"share": [number, len(self._shares)]}
            self._send("nrt_prepare", said | packed | share, client)

    def _on_go(self, said: dict[str, Any]) -> None:
        del said
        start_at_s = time.time() + START_IN_S
        self._tell({"event": "ready", "start_at_s": start_at_s})
        for client in self._shares:
            self._send("nrt_go", {"start_at_s": start_at_s}, client)

    def _on_latency(self, said: dict[str, Any]) -> None:
        self.environment.events.request.fire(
            request_type=said["stage"], name=said["type"], response_time=said["ms"], response_length=0,
            exception=None, context={},
        )  # fmt: skip

    def _on_panel(self, said: dict[str, Any]) -> None:
        self.panel = said

    def _on_judged(self, said: dict[str, Any]) -> None:
        self.verdict = said
        self.environment.process_exit_code = said["exit_code"]
        print(f"\n{said['text']}\n\n{said['run']}/report.html\n", file=sys.stderr, flush=True)

    def _on_error(self, said: dict[str, Any]) -> None:
        self.verdict = {"verdict": "error"} | said
        self.environment.process_exit_code = said["exit_code"]
        print(f"harness: {said['text']}", file=sys.stderr, flush=True)

    def _send(self, kind: str, data: dict[str, Any], client: str) -> None:
        self.environment.runner.send_message(kind, data, None if client == LOCAL else client)

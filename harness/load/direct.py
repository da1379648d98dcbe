"""A scenario as a locustfile: options, the user that Locust wants, and who does the work in which process.

In: a scenario, read by the `locust` command. Out: its run, on the stack that is up. The master (or the only process)
leads: it has the harness conduct the run and gives each worker its share of the one schedule; the workers make and
upload their files at the intended times. What Locust calls users do nothing: a number of users cannot keep a schedule.
"""

import argparse
import logging
from pathlib import Path
from typing import Any

import gevent.event
import locust
import locust.runners
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from harness.errors import ExitCode
from harness.load.follow import Follower
from harness.load.lead import Leader, Options
from harness.locust_tab import tab
from harness.scenario import Scenario

logger = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"
SPAWN_RATE = 100
# Locust takes a worker for missing after three seconds of silence, and ends the test when that is so of all. On a busy
# machine a worker is silent for that long and comes back, with files that it uploaded meanwhile.
MISSING_AFTER_S = 20


def _add_options(parser: Any) -> None:
    # Text, not paths: Locust sends all options to its workers, and what it sends them in knows no paths.
    parser.add_argument("--pipeline", default="pipeline.toml", env_var="NRT_PIPELINE", include_in_web_ui=False,
                        help="The pipeline description to run.")  # fmt: skip
    parser.add_argument("--out", default="", include_in_web_ui=False, help="The run's directory.")
    parser.add_argument("--rate", default="", help="Files to offer, such as 100/min; the scenario's own if empty")
    parser.add_argument("--duration", default="", help="How long to offer them, such as 5m")
    parser.add_argument("--time-scale", default="", help="Divide the merge interval, the SLA and other limits by this")
    parser.add_argument("--records", default="", help="Records in each file; the pipeline's own if empty")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same files")
    # Locust listens on every address unless told otherwise; a test on one machine has no need to.
    parser.set_defaults(web_host=LOOPBACK, master_bind_host=LOOPBACK)


class Schedule(locust.LoadTestShape):  # type: ignore[misc]  # Locust is not typed
    """Runs until the schedule has: one user for each worker, who is only there because Locust wants one."""

    abstract = True

    def __init__(self, leader: Leader) -> None:
        super().__init__()
        self._leader = leader

    def reset_time(self) -> None:
        """Locust begins: also for the second time, after an end."""
        super().reset_time()
        self._leader.ended.clear()

    def tick(self) -> tuple[int, float] | None:
        self._leader.look_after_workers()
        return None if self._leader.ended.is_set() else (max(1, self._leader.workers), SPAWN_RATE)


class _Direct:
    """What this process is: leader, follower, or both."""

    def __init__(self) -> None:
        self.scenarios: list[Scenario] = []
        # in heartbeats, one a second; there is no option for it
        locust.runners.HEARTBEAT_LIVENESS = MISSING_AFTER_S
        locust.events.init_command_line_parser.add_listener(_add_options)
        locust.events.init.add_listener(self.init)

    def init(self, environment: Environment, runner: Any, web_ui: Any, **_other: object) -> None:
        """Locust has read its locustfiles and options."""
        if len(self.scenarios) != 1:
            logger.error("one scenario at a time: name one file with -f")
            raise SystemExit(ExitCode.USAGE)
        options: argparse.Namespace = environment.parsed_options
        if not isinstance(runner, MasterRunner):
            follower = Follower(environment)
            runner.register_message("nrt_prepare", follower.prepare)
            runner.register_message("nrt_go", follower.go)
            environment.events.test_stopping.add_listener(follower.stop)
            environment.events.quitting.add_listener(follower.stop)
        if not isinstance(runner, WorkerRunner):
            file = Path(environment.parsed_locustfiles[0]).resolve()
            # Where things are is not for the web page to say: whoever can reach that could have any file imported.
            leader = Leader(environment, Options(file, Path(options.pipeline).resolve(), options.out))
            runner.register_message("nrt_said", leader.take)
            environment.events.test_start.add_listener(leader.start)
            environment.events.test_stopping.add_listener(leader.stop)
            environment.events.quitting.add_listener(leader.stop)
            environment.shape_class = Schedule(leader)
            environment.shape_class.runner = runner
            if web_ui is not None:
                tab.install(web_ui, leader)


_direct: list[_Direct] = []


def user_of(scenario: Scenario) -> type[locust.User]:
    """The Locust user of a scenario."""
    if not _direct:
        _direct.append(_Direct())
    _direct[0].scenarios.append(scenario)

    class Files(locust.User):  # type: ignore[misc]  # Locust is not typed
        """Does nothing: files have their times, whatever users do."""

        @locust.task  # type: ignore[untyped-decorator]
        def wait_for_the_end(self) -> None:
            gevent.event.Event().wait()

    return Files

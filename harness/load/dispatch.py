"""The Locust process: offers a schedule's files to S3 at their intended times.

In: a schedule, a feed directory, an S3 endpoint and a start time. Out: one JSON object a line on standard output. It
targets this machine unless told otherwise, ends by itself, with its parent, or within a second of SIGTERM or SIGINT.

    python -m harness.load.dispatch --schedule F --directory D --endpoint URL --bucket B --start-at EPOCH_S

Events, times in seconds of the Unix epoch: {"event": "ready", "start_at_s"} when it can take the start;
{"event": "uploaded", "index", "key", "intended_s", "started_s", "acknowledged_s", "size_bytes", "etag", "attempts"};
{"event": "upload_failed", "index", "key", "intended_s", "error", "outcome": "failed|unknown", "attempts"};
{"event": "dropped", "index", "key", "intended_s", "reason"};
{"event": "finished", "offered", "uploaded", "failed", "dropped", "interrupted"}.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import locust  # patches the standard library: before anything that opens connections (Locust issue 2250)
import locust.env

from harness.errors import ExitCode, HarnessError, UsageError
from harness.load.dispatcher import Dispatcher, Observation
from harness.load.events import emit
from harness.load.lifetime import end_with_parent, take_priority
from harness.load.schedule import PlannedFile, Share, parse_share, read_schedule
from harness.load.upload import Uploader, check_endpoint

DEFAULT_MAX_IN_FLIGHT = 1_000
DEFAULT_PATIENCE_S = 5.0
# Half of the second in which the process has to end.
GRACE_S = 0.25
NICENESS = -15


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m harness.load.dispatch", description="Upload a schedule's files.")
    parser.add_argument("--schedule", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True, help="where the feeder puts the files")
    parser.add_argument("--endpoint", metavar="URL", help="S3's endpoint; without it AWS (needs --allow-remote)")
    parser.add_argument("--bucket", required=True)
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--start-at", type=float, metavar="EPOCH_S", help="when offset 0 is")
    start.add_argument("--start-in", type=float, metavar="S", help="offset 0 is so long after it is ready")
    parser.add_argument("--share", type=parse_share, default=Share(), metavar="K/N", help="take each N-th file")
    parser.add_argument("--max-in-flight", type=int, default=DEFAULT_MAX_IN_FLIGHT)
    parser.add_argument("--patience-s", type=float, default=DEFAULT_PATIENCE_S, help="how long a late file is awaited")
    parser.add_argument("--web-port", type=int, help="serve Locust's web page there, on 127.0.0.1")
    parser.add_argument("--allow-remote", action="store_true", help="the target may be another machine")
    return parser.parse_args(arguments)


def _user_class(dispatcher: Dispatcher, files: list[PlannedFile], ended: gevent.event.Event) -> type[locust.User]:
    class Arrivals(locust.User):  # type: ignore[misc]  # Locust is not typed
        """The one user: it offers the whole schedule, once."""

        @locust.task  # type: ignore[untyped-decorator]
        def offer(self) -> None:
            try:
                dispatcher.offer(files)
            finally:
                ended.set()
            raise locust.exception.StopUser

    return Arrivals


def _offer(options: argparse.Namespace, dispatcher: Dispatcher, files: list[PlannedFile], environment: Any) -> None:
    """Have Locust run the dispatcher; returns when it has ended, or has been stopped from the web page."""
    ended = gevent.event.Event()
    environment.user_classes = [_user_class(dispatcher, files, ended)]
    runner = environment.create_local_runner()
    web_ui = _web_page(environment, options.web_port) if options.web_port else None
    try:
        if options.start_in is not None:
            dispatcher.start_at_s = time.time() + options.start_in
        runner.start(1, spawn_rate=1)
        emit("ready", start_at_s=dispatcher.start_at_s)
        ended.wait()
    finally:
        runner.quit()
        if web_ui:
            web_ui.stop()


def _web_page(environment: Any, port: int) -> Any:
    # To fill its form Locust's page reads the command line as if it were Locust's own, and ends the process over
    # options it does not know.
    del sys.argv[1:]
    return environment.create_web_ui("127.0.0.1", port)


def _count_in(environment: Any) -> Callable[[Observation], None]:
    """Have Locust count uploads, as its web page shows them."""

    def count(observation: Observation) -> None:
        environment.events.request.fire(
            request_type="PUT", name=observation.type, response_time=observation.response_ms,
            response_length=observation.size_bytes, exception=observation.error, context={},
        )  # fmt: skip

    return count


def run(options: argparse.Namespace) -> None:
    """Offer the schedule, until its end or until this greenlet is killed.

    Raises:
        UsageError: the target is not one to load, or the schedule cannot be read.
        HarnessError: the bucket does not answer.
    """
    check_endpoint(options.endpoint, remote_allowed=options.allow_remote)
    if not options.directory.is_dir():
        raise UsageError(f"{options.directory}: no such directory")
    files = options.share.take(read_schedule(options.schedule))
    environment = locust.env.Environment()
    uploader = Uploader(options.endpoint, options.bucket, options.max_in_flight)
    dispatcher = Dispatcher(
        uploader, options.directory, options.start_at or 0.0, emit, _count_in(environment), options.max_in_flight,
        options.patience_s,
    )  # fmt: skip
    try:
        uploader.check()
        _offer(options, dispatcher, files, environment)
    except gevent.GreenletExit:
        pass  # told to end: what is on its way gets a moment, then everything is accounted for
    dispatcher.abandon(GRACE_S)
    tally = dispatcher.tally
    emit("finished", **asdict(tally), interrupted=tally.offered < len(files))


def _exit_code_of(options: argparse.Namespace) -> int:
    try:
        run(options)
    except HarnessError as error:
        print(f"dispatch: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.PASS


def main(arguments: list[str] | None = None) -> int:
    """Run the dispatcher; returns the exit code."""
    end_with_parent()
    take_priority(NICENESS)
    stop = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    session = gevent.spawn(_exit_code_of, _arguments(arguments))
    gevent.wait([session, stop], count=1)
    if not session.ready():
        session.kill()
    if isinstance(session.value, int):
        return session.value
    # It was killed before it had begun, or it broke: gevent has printed how.
    return ExitCode.PASS if session.successful() else ExitCode.HARNESS_FAILED


if __name__ == "__main__":
    sys.exit(main())

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import pytest

from harness.load import feed_directory
from harness.load.dispatcher import Dispatcher, Observation
from harness.load.schedule import PlannedFile
from harness.load.upload import Receipt, UploadError

# The intended times lie in the past, so nothing waits.
START_AT_S = 1_000_000.0


def planned(index: int) -> PlannedFile:
    return PlannedFile(index, "orders", f"orders/{index}", index / 10, 1, f"f{index}")


@dataclass
class Bench:
    """A dispatcher whose uploads do what the test says, and what it told."""

    directory: Path
    put: Callable[[str, bytes], Receipt]
    max_in_flight: int = 10
    patience_s: float = 0.0
    events: list[dict[str, Any]] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)

    def emit(self, event: str, **fields: object) -> None:
        self.events.append({"event": event, **fields})

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self, self.directory, START_AT_S, self.emit, self.observations.append, self.max_in_flight, self.patience_s
        )

    def kinds(self) -> list[tuple[str, int]]:
        return sorted((event["event"], event["index"]) for event in self.events)


def stored(_key: str, _body: bytes) -> Receipt:
    return Receipt("tag", 1)


def feed(directory: Path, *files: PlannedFile) -> None:
    for file in files:
        feed_directory.put(directory, file, f"content of {file.index}".encode())


def test_every_file_is_uploaded_and_taken_from_the_directory(tmp_path: Path) -> None:
    bodies: dict[str, bytes] = {}

    def put(key: str, body: bytes) -> Receipt:
        bodies[key] = body
        return Receipt("tag", 2)

    bench, files = Bench(tmp_path, put), [planned(index) for index in range(3)]
    feed(tmp_path, *files)
    dispatcher = bench.dispatcher()
    dispatcher.offer(files)
    assert bodies == {f"orders/{index}": f"content of {index}".encode() for index in range(3)}
    assert list(tmp_path.iterdir()) == []
    assert (dispatcher.tally.offered, dispatcher.tally.uploaded) == (3, 3)
    event = bench.events[1]
    assert event["intended_s"] == START_AT_S + 0.1
    assert event["intended_s"] < event["started_s"] <= event["acknowledged_s"]
    assert (event["size_bytes"], event["etag"], event["attempts"]) == (12, "tag", 2)


def test_latency_counts_from_the_intended_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stored)
    feed(tmp_path, planned(0))
    bench.dispatcher().offer([planned(0)])
    (observation,) = bench.observations
    assert observation.response_ms == (bench.events[0]["acknowledged_s"] - START_AT_S) * 1000


def test_a_stalled_upload_holds_up_no_other(tmp_path: Path) -> None:
    release = gevent.event.Event()

    def put(key: str, body: bytes) -> Receipt:
        if key == "orders/0":
            release.wait()
        return stored(key, body)

    bench, files = Bench(tmp_path, put), [planned(index) for index in range(4)]
    feed(tmp_path, *files)
    offering = gevent.spawn(bench.dispatcher().offer, files)
    while len(bench.events) < 3:
        gevent.sleep(0)
    assert [event["index"] for event in bench.events] == [1, 2, 3]
    assert not offering.ready()
    release.set()
    offering.get()
    assert bench.events[-1]["index"] == 0


def test_a_file_that_is_not_there_is_dropped_and_need_not_be_made(tmp_path: Path) -> None:
    bench, files = Bench(tmp_path, stored), [planned(0), planned(1)]
    feed(tmp_path, planned(1))
    dispatcher = bench.dispatcher()
    dispatcher.offer(files)
    assert bench.kinds() == [("dropped", 0), ("uploaded", 1)]
    assert "not made" in bench.events[0]["reason"]
    assert dispatcher.tally.dropped == 1
    assert list(tmp_path.iterdir()) == [feed_directory.mark_of(tmp_path, planned(0))]


def test_a_late_file_is_awaited(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stored, patience_s=60)
    offering = gevent.spawn(bench.dispatcher().offer, [planned(0)])
    gevent.sleep(0)
    feed(tmp_path, planned(0))
    offering.get()
    assert bench.kinds() == [("uploaded", 0)]


def test_arrivals_above_the_bound_are_dropped_and_told(tmp_path: Path) -> None:
    release = gevent.event.Event()

    def put(key: str, body: bytes) -> Receipt:
        release.wait()
        return stored(key, body)

    bench, files = Bench(tmp_path, put, max_in_flight=2), [planned(index) for index in range(3)]
    feed(tmp_path, *files)
    offering = gevent.spawn(bench.dispatcher().offer, files)
    while not bench.events:
        gevent.sleep(0)
    release.set()
    offering.get()
    assert bench.kinds() == [("dropped", 2), ("uploaded", 0), ("uploaded", 1)]
    assert "2 uploads were in flight" in bench.events[0]["reason"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_failed_upload_says_what_is_known(tmp_path: Path, outcome: Any) -> None:
    def put(_key: str, _body: bytes) -> Receipt:
        raise UploadError("refused", outcome, 3)

    bench = Bench(tmp_path, put)
    feed(tmp_path, planned(0))
    dispatcher = bench.dispatcher()
    dispatcher.offer([planned(0)])
    (event,) = bench.events
    assert (event["event"], event["error"], event["outcome"], event["attempts"]) == (
        "upload_failed", "refused", outcome, 3,
    )  # fmt: skip
    assert isinstance(bench.observations[0].error, UploadError)
    assert dispatcher.tally.failed == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_abandoned_is_accounted_for(tmp_path: Path) -> None:
    def put(_key: str, _body: bytes) -> Receipt:
        gevent.event.Event().wait()
        raise AssertionError

    bench = Bench(tmp_path, put, patience_s=3600)
    feed(tmp_path, planned(0))
    dispatcher = bench.dispatcher()
    offering = gevent.spawn(dispatcher.offer, [planned(0), planned(1)])
    while dispatcher.tally.offered < 2:
        gevent.sleep(0)
    offering.kill()
    dispatcher.abandon(grace_s=0.01)
    assert bench.kinds() == [("dropped", 1), ("upload_failed", 0)]
    assert [event.get("outcome") for event in bench.events if event["index"] == 0] == ["unknown"]


def test_the_mark_of_a_discarded_file_is_left_only_where_it_is_needed(tmp_path: Path) -> None:
    feed(tmp_path, planned(0))
    feed_directory.discard(tmp_path, planned(0))
    assert list(tmp_path.iterdir()) == []
    feed_directory.discard(tmp_path, planned(0))
    assert list(tmp_path.iterdir()) == [feed_directory.mark_of(tmp_path, planned(0))]

"""Open arrivals: every upload starts at its intended time, whatever became of the ones before.

In: planned files, in order, and a store. Out: an event for every file. It runs on gevent's hub, so everything here
must wait only where gevent can see it, and do no work that holds the hub.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import gevent
from gevent.pool import Group

from harness.load import feed_directory
from harness.load.schedule import PlannedFile
from harness.load.upload import Receipt, UploadError

FILE_POLL_INTERVAL_S = 0.01


class Store(Protocol):
    """Where files go."""

    def put(self, key: str, body: bytes) -> Receipt:
        """Store an object, or raise UploadError."""
        ...


class Emit(Protocol):
    """Where events go."""

    def __call__(self, event: str, **fields: object) -> None: ...


@dataclass(frozen=True)
class Observation:
    """One finished upload as a load tool counts it. `response_ms` counts from the intended time."""

    type: str
    response_ms: float
    size_bytes: int
    error: UploadError | None


@dataclass
class Tally:
    """What became of the files so far."""

    offered: int = 0
    uploaded: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass
class Dispatcher:
    """Sends files at `start_at_s` (Unix epoch) plus their offset.

    A file that is not in the feed directory is waited for, at most `patience_s`; then it is dropped, as is one that is
    due while `max_in_flight` uploads are on their way.
    """

    store: Store
    directory: Path
    start_at_s: float
    emit: Emit
    observe: Callable[[Observation], None]
    max_in_flight: int
    patience_s: float
    tally: Tally = field(default_factory=Tally)
    _in_flight: Group = field(default_factory=Group)

    def offer(self, files: Iterable[PlannedFile]) -> None:
        """Start each file's upload at its time; returns when all have ended."""
        for file in files:
            intended_s = self.start_at_s + file.at_s
            # Also where it is late already: the hub must come round between two arrivals.
            gevent.sleep(max(0.0, intended_s - time.time()))
            self.tally.offered += 1
            if len(self._in_flight) >= self.max_in_flight:
                self._drop(file, intended_s, f"{self.max_in_flight} uploads were in flight")
            else:
                self._in_flight.start(gevent.Greenlet(self._send, file, intended_s))
        self._in_flight.join()

    def abandon(self, grace_s: float) -> None:
        """End the uploads that are still on their way after a grace; each is recorded as of unknown outcome."""
        self._in_flight.join(timeout=grace_s)
        self._in_flight.kill(block=True, timeout=grace_s)

    def _drop(self, file: PlannedFile, intended_s: float, reason: str) -> None:
        feed_directory.discard(self.directory, file)
        self.tally.dropped += 1
        self.emit("dropped", index=file.index, key=file.key, intended_s=intended_s, reason=reason)

    def _awaited(self, path: Path) -> bytes | None:
        give_up_s = time.monotonic() + self.patience_s
        while True:
            try:
                return path.read_bytes()
            except FileNotFoundError:
                if time.monotonic() >= give_up_s:
                    return None
                gevent.sleep(FILE_POLL_INTERVAL_S)

    def _send(self, file: PlannedFile, intended_s: float) -> None:
        path = feed_directory.path_of(self.directory, file)
        try:
            body = self._awaited(path)
        except gevent.GreenletExit:
            self._drop(file, intended_s, "interrupted")
            return
        if body is None:
            self._drop(file, intended_s, f"the file was not made within {self.patience_s:g} s of its time")
            return
        started_s = time.time()
        try:
            receipt = self.store.put(file.key, body)
        except UploadError as error:
            self._failed(file, intended_s, len(body), error)
        except gevent.GreenletExit:
            self._failed(file, intended_s, len(body), UploadError("interrupted", "unknown", 1))
        else:
            acknowledged_s = time.time()
            self.tally.uploaded += 1
            self.emit(
                "uploaded", index=file.index, key=file.key, intended_s=intended_s, started_s=started_s,
                acknowledged_s=acknowledged_s, size_bytes=len(body), etag=receipt.etag, attempts=receipt.attempts,
            )  # fmt: skip
            self.observe(Observation(file.type, (acknowledged_s - intended_s) * 1000, len(body), None))
        path.unlink(missing_ok=True)

    def _failed(self, file: PlannedFile, intended_s: float, size_bytes: int, error: UploadError) -> None:
        self.tally.failed += 1
        self.emit(
            "upload_failed", index=file.index, key=file.key, intended_s=intended_s, error=error.reason,
            outcome=error.outcome, attempts=error.attempts,
        )  # fmt: skip
        self.observe(Observation(file.type, (time.time() - intended_s) * 1000, size_bytes, error))

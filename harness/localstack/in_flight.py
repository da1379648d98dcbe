"""Which versions of functions have invokes in flight, so that none is ended before they are.

When a function's code or configuration changes, AWS lets what is in flight finish in the old version's environments and
sends new invokes to the new one's (Lambda function states: while an update is in progress, invokes go to the previous
code and configuration). In: the begin and end of each invoke, and what to do with a version that is to go. Out: that is
done at once if nothing runs, else at the last invoke's end. Pure; knows no LocalStack.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator


class InFlight:
    """Counts invokes per version; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._afterwards: dict[str, Callable[[], None]] = {}
        self._closing = False

    @contextlib.contextmanager
    def one_more(self, version: str) -> Iterator[None]:
        """Count one invoke of a version while it runs."""
        with self._lock:
            self._running[version] += 1
        try:
            yield
        finally:
            self._ended(version)

    def _ended(self, version: str) -> None:
        with self._lock:
            self._running[version] -= 1
            if self._running[version]:
                return
            del self._running[version]
            action = self._afterwards.pop(version, None)
        if action:
            action()

    def afterwards(self, version: str, action: Callable[[], None]) -> None:
        """Do it when no invoke of this version is in flight; at once if none is, or when everything is about to end."""
        with self._lock:
            if self._running[version] and not self._closing:
                self._afterwards[version] = action
                return
        action()

    def close(self) -> None:
        """Everything ends: wait for nothing any more."""
        with self._lock:
            self._closing = True
            actions = list(self._afterwards.values())
            self._afterwards.clear()
        for action in actions:
            action()

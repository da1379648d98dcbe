"""How many invokes of each function run at this moment, for the ConcurrentExecutions metric."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator


class Concurrency:
    """A counter per function; safe between threads."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def one_more(self, function: str) -> Iterator[int]:
        """Count one invoke while it runs; yields how many run, itself included."""
        with self._lock:
            self._running[function] += 1
            now = self._running[function]
        try:
            yield now
        finally:
            with self._lock:
                self._running[function] -= 1

"""The threads of a run, by name: what they raise is found, not lost.

In: work to do beside everything else. Out: the error of one that died, wherever the run waits next.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from harness.errors import HarnessError


@dataclass(frozen=True)
class Workers:
    """Threads that go on until they are through, or have seen `stop`."""

    executor: ThreadPoolExecutor
    futures: dict[str, Future[None]]
    stop: threading.Event

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Have a thread do it."""
        self.futures[name] = self.executor.submit(work)

    def raise_if_dead(self) -> None:
        """See that none has failed up to now.

        Raises:
            HarnessError: one of them died.
        """
        for name, future in self.futures.items():
            if future.done() and (error := future.exception()) is not None:
                raise HarnessError(f"{name} died: {type(error).__name__}: {' '.join(str(error).split())}") from error

    def end(self) -> None:
        """Let every thread finish what it is at.

        Raises:
            HarnessError: one of them had died.
        """
        self.stop.set()
        self.executor.shutdown(wait=True)
        self.raise_if_dead()


@contextmanager
def started_workers() -> Iterator[Workers]:
    """Workers that all have ended when the block has."""
    workers = Workers(ThreadPoolExecutor(thread_name_prefix="harness"), {}, threading.Event())
    try:
        yield workers
    finally:
        workers.stop.set()
        workers.executor.shutdown(wait=True)

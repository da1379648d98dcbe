"""The batches a mapping has in flight, against the limit its scaling allows.

In: batches handed out and given back, failures. Out: permission for one more. Safe between threads; knows no queue.
"""

import threading

from harness.localstack.scaling import Scaler


class Slots:
    """Counts batches in flight and waits for room."""

    def __init__(self, scaler: Scaler) -> None:
        self._scaler = scaler
        self._in_flight = 0
        self._changed = threading.Condition()

    def wait_for_free(self, stop: threading.Event) -> bool:
        """Wait until one more batch may start; false when told to stop."""
        with self._changed:
            while not stop.is_set():
                if self._in_flight < self._scaler.limit:
                    return True
                self._scaler.saturated()
                self._changed.wait(self._scaler.seconds_to_next)
            return False

    def take(self) -> None:
        """A batch starts."""
        with self._changed:
            self._in_flight += 1

    def give_back(self) -> None:
        """A batch has ended."""
        with self._changed:
            self._in_flight -= 1
            self._changed.notify()

    def failed(self) -> None:
        """A batch failed as a whole or was throttled."""
        with self._changed:
            self._scaler.failed()

    def succeeded(self) -> None:
        """A batch did not fail as a whole."""
        with self._changed:
            self._scaler.succeeded()
            self._changed.notify()

    def slack(self) -> None:
        """No message is waiting just now."""
        with self._changed:
            self._scaler.slack()

    def idle(self) -> None:
        """No message has come for a long while."""
        with self._changed:
            if not self._in_flight:
                self._scaler.idle()

    def wake(self) -> None:
        """Make a waiter look at its stop flag."""
        with self._changed:
            self._changed.notify_all()

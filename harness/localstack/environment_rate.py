"""How fast a function may get new execution environments.

"Each of your functions … can scale by 1,000 execution environment instances every 10 seconds" (Lambda scaling
behavior: concurrency scaling rate); what is not used does not add up. In: a clock, a rate and one call for each
environment about to start. Out: whether it may. Pure but for the clock; knows no LocalStack.
"""

import threading
from collections.abc import Callable

ENVIRONMENTS = 1_000
"""In each interval, unless another rate is given: a small machine cannot start as many."""
INTERVAL_S = 10.0


class EnvironmentRate:
    """A bucket of permissions for each function, refilled steadily; safe between threads."""

    def __init__(self, clock: Callable[[], float], environments: int = ENVIRONMENTS) -> None:
        self._clock = clock
        self._most = float(environments)
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def may_start(self, function_arn: str) -> bool:
        """Count one more environment of this function; false when it has to wait (the invoke is throttled)."""
        with self._lock:
            now = self._clock()
            left, since = self._left.get(function_arn, (self._most, now))
            left = min(self._most, left + (now - since) * self._most / INTERVAL_S)
            allowed = left >= 1
            self._left[function_arn] = (left - 1 if allowed else left, now)
            return allowed

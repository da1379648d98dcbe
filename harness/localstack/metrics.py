"""CloudWatch metrics of functions and queues, gathered in memory and published together.

LocalStack publishes each value with an API call of its own, five of them for one message: 6 ms of CPU each. AWS
aggregates too, per minute. In: values, from any thread. Out: statistic sets, one per metric and interval, given to a
`publish` function. Pure but for that function; knows no LocalStack.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PUBLISH_EVERY_S = 5.0


@dataclass(frozen=True)
class Metric:
    """What a value is a value of."""

    account: str
    region: str
    namespace: str
    name: str
    dimension: tuple[str, str]
    unit: str = "Count"


@dataclass
class Statistics:
    """What CloudWatch keeps of many values."""

    count: int
    total: float
    least: float
    most: float
    since_s: float

    def add(self, value: float) -> None:
        """One more value."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)


Publish = Callable[[Mapping[Metric, Statistics]], None]


class MetricBuffer:
    """Collects values; a thread publishes them, as long as there are any."""

    def __init__(self, publish: Publish, every_s: float = PUBLISH_EVERY_S) -> None:
        self._publish = publish
        self._every_s = every_s
        self._lock = threading.Lock()
        self._publishing = threading.Lock()
        self._is_closed = False
        self._pending: dict[Metric, Statistics] = {}
        self._filled = threading.Event()
        threading.Thread(target=self._run, name="nrt-metrics", daemon=True).start()

    def add(self, metric: Metric, value: float = 1.0) -> None:
        """Record one value."""
        with self._lock:
            known = self._pending.get(metric)
            if known:
                known.add(value)
                return
            self._pending[metric] = Statistics(1, value, value, value, time.time())
        self._filled.set()

    def flush(self) -> None:
        """Publish what there is now."""
        with self._publishing:
            with self._lock:
                pending, self._pending = self._pending, {}
                self._filled.clear()
            if pending and not self._is_closed:
                self._publish(pending)

    def close(self) -> None:
        """Publish nothing any more; returns when what is being published has been."""
        self._is_closed = True
        with self._publishing:
            pass

    def _run(self) -> None:
        while True:
            self._filled.wait()
            time.sleep(self._every_s)
            self.flush()

"""How many batches of one SQS event source mapping may be in flight, over time.

In: a clock and what the mapping sees (saturation, failures, throttles). Out: a limit. Pure but for the clock it is
given; knows neither queues nor LocalStack. Figures are AWS's ("Configuring scaling behavior for SQS event source
mappings"); how much a failure takes off is not published, so that is a model, marked as one. That it also holds growth
up is AWS's word: "Lambda throttles function scaling when invocation errors occur. When the errors are resolved, Lambda
continues to scale the function" (re:Post knowledge center, lambda-sqs-scaling).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class ScalingLimits:
    """The shape of the scale-up of one mapping."""

    initial: float = 5
    """"Lambda starts by processing five batches at a time with five concurrent invocations.\""""
    per_minute: float = 300
    """"… up to 300 more concurrent invocations per minute …\""""
    most: float = 1_250
    """"… up to a maximum of 1,250 concurrent invocations.\""""
    fewest: float = 2
    """Where failures stop taking off concurrency (a model)."""
    failure_factor: float = 0.8
    """What a failed or throttled batch leaves of the limit (a model: "gradually backs off")."""

    def capped(self, maximum_concurrency: int | None) -> "ScalingLimits":
        """With `ScalingConfig.MaximumConcurrency` (2 to 1,000) applied, when there is one."""
        if maximum_concurrency is None:
            return self
        return replace(self, initial=min(self.initial, maximum_concurrency), most=min(self.most, maximum_concurrency))

    @classmethod
    def provisioned(cls, minimum_pollers: int, maximum_pollers: int) -> "ScalingLimits":
        """Provisioned mode: a poller does up to 10 concurrent invokes; 1,000 more a minute, never below the minimum."""
        fewest = 10.0 * minimum_pollers
        return cls(initial=fewest, per_minute=1_000, most=10.0 * maximum_pollers, fewest=fewest)


class Scaler:
    """The current limit of one mapping."""

    def __init__(self, limits: ScalingLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._value = float(limits.initial)
        self._saturated_since: float | None = None
        self._failing = False

    @property
    def limit(self) -> int:
        """Batches that may be in flight now."""
        self._grow()
        return int(self._value)

    @property
    def seconds_to_next(self) -> float | None:
        """How long saturation must go on for one more batch; None when it never will, or not while batches fail."""
        if self._failing or self._value >= self._limits.most:
            return None
        return max(0.001, (int(self._value) + 1 - self._value) * SECONDS_PER_MINUTE / self._limits.per_minute)

    def saturated(self) -> None:
        """Every allowed batch is in flight, and there may be more messages: the limit grows from now on.

        Not while batches fail.
        """
        if self._saturated_since is None and not self._failing:
            self._saturated_since = self._clock()

    def slack(self) -> None:
        """There is room, or no message is left: growth stops."""
        self._grow()
        self._saturated_since = None

    def idle(self) -> None:
        """The queue is empty and nothing is in flight: polling goes back to where it started."""
        self._saturated_since = None
        self._value = max(self._limits.fewest, min(self._value, self._limits.initial))

    def failed(self) -> None:
        """A batch failed as a whole, or was throttled: concurrency is taken off gradually, and none is added."""
        self._grow()
        self._saturated_since, self._failing = None, True
        fewest = min(self._limits.fewest, self._limits.most)
        self._value = max(fewest, self._value * self._limits.failure_factor)

    def succeeded(self) -> None:
        """A batch did not fail: the limit may grow again."""
        self._failing = False

    def _grow(self) -> None:
        if self._saturated_since is None:
            return
        now = self._clock()
        gained = (now - self._saturated_since) * self._limits.per_minute / SECONDS_PER_MINUTE
        self._value = min(float(self._limits.most), self._value + gained)
        self._saturated_since = now

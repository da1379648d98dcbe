"""A model of the time Redshift takes: a guess with a distribution, off unless asked for. Not a measurement.

In: the figures of `LatencyModel`. Out: how long a COPY is held back before it takes its lock, and a COPY or a commit
while its locks are held. Wherever its numbers appear they are the model's, not Redshift's.
"""

import asyncio
import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class LatencyModel:
    """Seconds. A COPY waits copy_queue_s before it takes its table's lock (queued, compiled), and then takes
    copy_base_s + rows x copy_per_row_s; a commit of writes takes commit_s. Each is multiplied by a log-normal factor
    with median 1 and sigma `spread` (0: no variation), drawn from `seed`.
    """

    copy_base_s: float = 0.0
    copy_per_row_s: float = 0.0
    commit_s: float = 0.0
    spread: float = 0.0
    seed: int = 0
    copy_queue_s: float = 0.0


class Latency:
    """Draws delays from a model and waits them out."""

    def __init__(self, model: LatencyModel) -> None:
        self.restart(model)

    def restart(self, model: LatencyModel) -> None:
        """Take a model and begin its sequence of draws."""
        self.model = model
        self._random = random.Random(model.seed)

    def _factor(self) -> float:
        return math.exp(self._random.gauss(0.0, self.model.spread)) if self.model.spread else 1.0

    def copy_s(self, rows: int) -> float:
        return (self.model.copy_base_s + rows * self.model.copy_per_row_s) * self._factor()

    def commit_s(self) -> float:
        return self.model.commit_s * self._factor()

    async def hold_copy(self, rows: int, took_s: float) -> None:
        """Wait until a COPY of this many rows, which took `took_s` with its lock held, took what the model says."""
        if (delay_s := self.copy_s(rows) - took_s) > 0:
            await asyncio.sleep(delay_s)

    async def hold_queued_copy(self) -> None:
        """Wait for as long as the model says a COPY does before it takes its lock."""
        if self.model.copy_queue_s > 0:
            await asyncio.sleep(self.model.copy_queue_s * self._factor())

    async def hold_commit(self) -> None:
        """Wait for as long as the model says a commit takes."""
        if (delay_s := self.commit_s()) > 0:
            await asyncio.sleep(delay_s)

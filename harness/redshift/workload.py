"""The model of how Redshift spends time on a workload: its latencies, its slots (WLM), its limit of connections. All
can be changed while the gateway runs, by `ALTER SYSTEM SET model.NAME = value` from any session.

In: names and values of settings. Out: waits, for the sessions that ask. Its times are a model's, not Redshift's.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from harness.redshift.latency import Latency, LatencyModel
from harness.redshift.messages import Refusal

MODEL_APPLICATION = "nrt-model"
_WHOLE_NUMBERS = frozenset(("seed", "wlm_slots", "max_connections"))
SETTINGS = (*(field.name for field in fields(LatencyModel)), "wlm_slots", "max_connections")


@dataclass(frozen=True)
class ModelSetting:
    """One setting of the model, for all sessions from now on."""

    name: str
    value: float

    @classmethod
    def parse(cls, name: str, value: str) -> "ModelSetting":
        """From the words of `ALTER SYSTEM SET model.<name> = <value>`.

        Raises:
            Refusal: there is no such setting, or the value is none of its.
        """
        if name not in SETTINGS:
            hint = f"The model's settings are {', '.join(SETTINGS)}."
            raise Refusal("42704", f'unrecognized configuration parameter "model.{name}"', hint=hint)
        try:
            number = float(int(value)) if name in _WHOLE_NUMBERS else float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            hint = f"It takes {'a whole number' if name in _WHOLE_NUMBERS else 'a number'} >= 0."
            raise Refusal("22023", f'invalid value for parameter "model.{name}": "{value}"', hint=hint)
        return cls(name, number)


class Slots:
    """How many statements may run at the same time; the others wait in line. A limit of 0: as many as come."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def resize(self, limit: int) -> None:
        """Change the limit; whoever now fits starts."""
        self.limit = limit
        self._admit()

    async def acquire(self) -> None:
        """Wait for a slot; `release` gives it back."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.release()
            raise

    def release(self) -> None:
        self.running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and (not self.limit or self.running < self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.running += 1
                place.set_result(None)


class Connections:
    """How many sessions there may be at the same time; a further one is refused. A limit of 0: as many as come."""

    def __init__(self) -> None:
        self.limit = self.open = 0

    @contextmanager
    def one_more(self, application_name: str) -> Iterator[None]:
        """A place for a session, for the length of the block; whoever sets the model always gets one.

        Raises:
            Refusal: none is free. The words are Redshift's.
        """
        if self.limit and self.open >= self.limit and application_name != MODEL_APPLICATION:
            raise Refusal("53300", f'connection limit "{self.limit}" exceeded for non-bootstrap users')
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class Workload:
    """The latencies, slots and connections that all sessions share."""

    def __init__(self, latency: LatencyModel, wlm_slots: int) -> None:
        self.latency, self.slots, self.connections = Latency(latency), Slots(wlm_slots), Connections()

    def change(self, setting: ModelSetting) -> None:
        """Have a setting apply from now on; a new seed starts its sequence of draws."""
        if setting.name == "wlm_slots":
            self.slots.resize(int(setting.value))
        elif setting.name == "max_connections":
            self.connections.limit = int(setting.value)
        elif setting.name == "seed":
            self.latency.restart(replace(self.latency.model, seed=int(setting.value)))
        else:
            figure: dict[str, Any] = {setting.name: setting.value}
            self.latency.model = replace(self.latency.model, **figure)

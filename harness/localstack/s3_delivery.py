"""When, and how often, an S3 event notification arrives.

"Amazon S3 event notifications are designed to be delivered at least once. Typically, event notifications are delivered
in seconds but can sometimes take a minute or longer" (Amazon S3 Event Notifications); their order is not promised. The
emulator delivers at once, exactly once and in order; with NRT_S3_EVENTS it does not, the same way for the same seed:
`NRT_S3_EVENTS=delay_s=0.1..2,duplicate=0.01,reorder=0.05,seed=7`.

In: that text. Out: for each event the delays after which it is delivered, one or more. Pure; knows no LocalStack.
"""

import random
import threading
from dataclasses import dataclass

HELD_BACK_S = 1.0
"""How much later than drawn a reordered event comes, so that later ones overtake it."""


@dataclass(frozen=True)
class Delivery:
    """How notifications are delivered."""

    shortest_s: float = 0.0
    longest_s: float = 0.0
    duplicate: float = 0.0
    """Probability that an event is delivered twice."""
    reorder: float = 0.0
    """Probability that an event is held back by a second."""
    seed: int = 0


def parse(text: str) -> Delivery:
    """Read NRT_S3_EVENTS.

    Raises:
        ValueError: an unknown name, or a value that is no number or no probability.
    """
    values: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        try:
            if name == "delay_s":
                shortest, _, longest = value.partition("..")
                values |= {"shortest_s": float(shortest), "longest_s": float(longest or shortest)}
            elif name in ("duplicate", "reorder"):
                values[name] = _probability(value)
            elif name == "seed":
                values[name] = int(value)
            else:
                raise ValueError("not one of delay_s, duplicate, reorder, seed")
        except ValueError as error:
            raise ValueError(f"NRT_S3_EVENTS: {part!r}: {error}") from error
    return Delivery(**values)  # type: ignore[arg-type]


def _probability(value: str) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError("not between 0 and 1")
    return number


class Schedule:
    """Draws deliveries, one event after the other."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._random = random.Random(delivery.seed)
        self._lock = threading.Lock()

    def delays_s(self) -> list[float]:
        """The delays after which the next event is delivered."""
        delivery = self._delivery
        with self._lock:
            times = 2 if self._random.random() < delivery.duplicate else 1
            held_back_s = HELD_BACK_S if self._random.random() < delivery.reorder else 0.0
            return [self._random.uniform(delivery.shortest_s, delivery.longest_s) + held_back_s for _ in range(times)]

"""Parts of the stack that go away during a run and come back, though no fault of the scenario had them do so.

In: looks of a probe that found a part, or did not. Out: an `outage` event {"part", "from_s", "to_s", "error"} once the
part is back. Only a stack whose parts have a life of their own (compose, AWS) comes through that; elsewhere a part that
ends takes the run with it.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import sql
from harness.errors import HarnessError
from harness.ledger import Ledger
from harness.stack.endpoints import Endpoints

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

WAREHOUSE, EMULATOR = "redshift", "localstack"
LOOK_TIMEOUT_S = 5.0
ERROR_CHARS = 160


def parts_come_back(endpoints: Endpoints) -> bool:
    """Whether a part that ends is no end of the stack: nobody here is the parent of its processes."""
    return not endpoints.pids


def emulator_session(endpoints: Endpoints) -> str:
    """What the emulator calls this life of it: another one after each start.

    Raises:
        HarnessError: it does not answer.
    """
    url = f"{endpoints.aws_endpoint_url}/_localstack/info"
    try:
        with urllib.request.urlopen(url, timeout=LOOK_TIMEOUT_S) as answer:
            return str(json.load(answer)["session_id"])
    except (OSError, ValueError, KeyError) as error:
        raise HarnessError(f"the emulator does not answer: {error}") from error


@dataclass
class Outages:
    """What is away at this moment, and since when: the last time it was seen. Epoch seconds."""

    ledger: Ledger
    clock: Callable[[], float] = time.time
    _seen_s: dict[str, float] = field(default_factory=dict)
    _errors: dict[str, str] = field(default_factory=dict)

    def missing(self, part: str, error: Exception) -> None:
        """A look did not find the part."""
        self._errors.setdefault(part, " ".join(str(error).split())[:ERROR_CHARS])

    def found(self, part: str) -> None:
        """A look found it; if it was away that is over, and in the ledger."""
        now_s = self.clock()
        if (error := self._errors.pop(part, None)) is not None:
            from_s = self._seen_s.get(part, now_s)
            self.ledger.append("outage", part=part, from_s=round(from_s, 3), to_s=round(now_s, 3), error=error)
        self._seen_s[part] = now_s

    def close(self) -> None:
        """Nobody looks any more: what is away now stays so, as far as the ledger knows."""
        for part in list(self._errors):
            self.found(part)


@dataclass
class Backend:
    """A connection to the warehouse's backend that is made again when the server had ended it."""

    endpoints: Endpoints
    application_name: str
    _connection: "Connection | None" = None

    def connection(self) -> "Connection":
        """The connection, in autocommit.

        Raises:
            HarnessError: there is none to be had at this moment.
        """
        if self._connection is None or self._connection.closed:
            self._connection = sql.connect(self.endpoints.postgres, self.application_name)
            self._connection.autocommit = True
        return self._connection

    def forget(self) -> None:
        """Close it: after an error nobody knows what it is good for."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@contextmanager
def lasting_backend(endpoints: Endpoints, application_name: str) -> Iterator[Backend]:
    """A `Backend` that is connected at first, and closed at the end of the block."""
    backend = Backend(endpoints, application_name)
    backend.connection()
    try:
        yield backend
    finally:
        backend.forget()

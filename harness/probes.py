"""What is looked at while a run goes on: queues, stage tables and invocations.

In: a stack, a pipeline, the live history. Out: events for the ledger. A probe only looks; it uses connections of its
own, and the PostgreSQL behind the stand-in rather than the gateway, so as not to disturb what it measures.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from harness.aws import Aws
from harness.dead_letters import peek
from harness.errors import HarnessError
from harness.history import History
from harness.ledger import Ledger
from harness.outages import EMULATOR, WAREHOUSE, Backend, Outages, emulator_session, lasting_backend, parts_come_back
from harness.pipeline import Pipeline
from harness.provision import Provisioned
from harness.stack.endpoints import Endpoints

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

SAMPLE_EVERY_S = 2.0
# A look asks two queues of every type. With many types it is taken less often: what a probe takes, the pipeline lacks.
QUEUES_PER_S_MAX = 16
TAIL_EVERY_S = 0.1
LOCK_PATIENCE = "SET lock_timeout = '200ms'"
# Redshift knows no patience with locks alone
STATEMENT_PATIENCE = "SET statement_timeout TO 5000"
# Counting a stage table takes the longer the fuller it is; at most this share of the time goes into each.
COUNTING_SHARE_MAX = 0.002


@dataclass(frozen=True)
class Watched:
    """What every probe needs to know."""

    pipeline: Pipeline
    provisioned: Provisioned
    aws: Aws
    history: History
    ledger: Ledger


@dataclass
class StageCounts:
    """Counts stage tables as often as that is cheap: what a probe takes, the pipeline lacks."""

    clock: Callable[[], float] = time.monotonic
    patience: str = LOCK_PATIENCE
    _due_s: dict[str, float] = field(default_factory=dict)

    def rows_of(self, connection: "Connection", table: str) -> int | None:
        """How many rows a stage table has; None while it is locked, or was counted at a cost not long ago."""
        began_s = self.clock()
        if began_s < self._due_s.get(table, began_s):
            return None
        rows = stage_rows_of(connection, table, self.patience)
        self._due_s[table] = began_s + (self.clock() - began_s) / COUNTING_SHARE_MAX
        return rows


def tail_invocations(trace: Path, ledger: Ledger, stop: threading.Event, from_byte: int) -> None:
    """Copy the executor's trace into the ledger, line by line, until `stop`; reads what is left before it returns."""
    while not trace.exists():
        if stop.wait(TAIL_EVERY_S):
            return
    with trace.open("rb") as file:
        file.seek(from_byte)
        stopping = False
        while True:
            for line in _whole_lines(file):
                ledger.append("invocation", **json.loads(line))
            if stopping:
                return
            stopping = stop.wait(TAIL_EVERY_S)


def _whole_lines(file: BufferedReader) -> Iterator[bytes]:
    """The lines that are complete now; an unfinished one stays for the next call."""
    while True:
        at = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(at)
            return
        yield line


def sample_every_s(types: int) -> float:
    """Seconds between two looks at so many types."""
    return max(SAMPLE_EVERY_S, 2 * types / QUEUES_PER_S_MAX)


def keep_sampling(watched: Watched, stop: threading.Event, provision_again: Callable[[], None]) -> None:
    """Write a `sample` every two seconds (`sample_every_s`), and every new dead letter as it is seen.

    While a fault is at work AWS may not answer: then there is no sample. Nor is there one while a part is away that
    comes back; an emulator that was started anew has no functions until `provision_again` has made them.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    with lasting_backend(watched.aws.endpoints, "nrt-probe") as backend:
        look = _Look(watched, backend, Outages(watched.ledger), provision_again)
        every_s = sample_every_s(len(watched.provisioned.types))
        while True:
            was_faulty = bool(watched.history.faults_at_work)
            try:
                look.look()
            except (BotoCoreError, ClientError):
                if not (was_faulty or watched.history.faults_at_work):
                    raise
            if stop.wait(every_s):
                look.outages.close()
                return


@dataclass
class _Look:
    """One probe's looks, each of which may find a part of the stack away."""

    watched: Watched
    backend: Backend
    outages: Outages
    provision_again: Callable[[], None]
    _known: dict[str, int] = field(init=False)
    _counts: StageCounts = field(init=False)
    _session: str | None = None

    def __post_init__(self) -> None:
        self._known = dict.fromkeys(self.watched.provisioned.types, 0)
        self._counts = stage_counts_of(self.watched.aws.endpoints)

    def look(self) -> None:
        if not parts_come_back(self.watched.aws.endpoints):
            sample(self.watched, self.backend.connection(), self._known, self._counts)
            return
        if self._emulator_is_there() and self._sample_is_taken():
            self.outages.found(EMULATOR)

    def _emulator_is_there(self) -> bool:
        if self.watched.aws.endpoints.on_aws is not None:
            return True  # there is none: AWS is what answers, or does not
        try:
            session = emulator_session(self.watched.aws.endpoints)
            if self._session not in (None, session):
                self.outages.missing(EMULATOR, HarnessError("it was started anew"))
                self.provision_again()
        except HarnessError as error:
            self.outages.missing(EMULATOR, error)
            return False
        self._session = session
        return True

    def _sample_is_taken(self) -> bool:
        """Whether AWS answered; what the warehouse did is noted here."""
        import psycopg2
        from botocore.exceptions import BotoCoreError

        try:
            sample(self.watched, self.backend.connection(), self._known, self._counts)
        except (psycopg2.Error, HarnessError) as error:
            self.backend.forget()
            self.outages.missing(WAREHOUSE, error)
            return True
        except BotoCoreError as error:  # no answer, or half of one
            self.outages.missing(EMULATOR, error)
            return False
        self.outages.found(WAREHOUSE)
        return True


def sample(watched: Watched, connection: "Connection", known: dict[str, int], counts: StageCounts) -> None:
    """Look once; `known` counts the dead letters already in the ledger and is kept up to date."""
    sqs, queues, stage_rows = watched.aws.sqs, {}, {}
    for name, resources in watched.provisioned.types.items():
        depth = sqs.get_queue_attributes(
            QueueUrl=resources.queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        dead = sqs.get_queue_attributes(
            QueueUrl=resources.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        visible = int(depth["ApproximateNumberOfMessages"])
        in_flight = int(depth["ApproximateNumberOfMessagesNotVisible"])
        dead_lettered = int(dead["ApproximateNumberOfMessages"])
        queues[name] = {"visible": visible, "in_flight": in_flight, "dead_lettered": dead_lettered}
        known[name] = min(known[name], dead_lettered)  # somebody may have sent letters back
        if dead_lettered > known[name]:
            known[name] = _record_dead_letters(watched, name, resources.dead_letter_queue_url)
    for name, settings in watched.pipeline.types.items():
        if (rows := counts.rows_of(connection, settings.stage_table)) is not None:
            stage_rows[name] = rows
    waiting = [
        file.intended_s
        for file in watched.history.files.values()
        if file.intended_s and file.acknowledged_s and not file.is_settled
    ]
    oldest_age_s = round(time.time() - min(waiting), 3) if waiting else None
    watched.ledger.append("sample", queues=queues, stage_rows=stage_rows, oldest_age_s=oldest_age_s)


def stage_counts_of(endpoints: Endpoints) -> StageCounts:
    """Counts as the stack's warehouse can be asked for them."""
    return StageCounts(patience=STATEMENT_PATIENCE if endpoints.on_aws else LOCK_PATIENCE)


def stage_rows_of(connection: "Connection", table: str, patience: str = LOCK_PATIENCE) -> int | None:
    """How many rows a stage table has; None while somebody holds it locked: a probe must not queue behind that."""
    import psycopg2.errors

    with connection.cursor() as cursor:
        cursor.execute(patience)
        try:
            cursor.execute(f"SELECT count(*) FROM {table}")
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled):
            return None
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _record_dead_letters(watched: Watched, type_name: str, queue_url: str) -> int:
    recorded = {event["message_id"] for event in watched.history.dead_letters} | watched.history.redriven
    letters = peek(watched.aws.sqs, queue_url)
    for letter in letters:
        if letter.message_id not in recorded:
            reasons = [watched.history.reasons.get(key) for key in letter.keys]
            watched.ledger.append(
                "dead_letter", type=type_name, message_id=letter.message_id, keys=list(letter.keys),
                receive_count=letter.receive_count, sent_ms=letter.sent_ms,
                reason="; ".join(reason for reason in reasons if reason) or "no reason was logged",
            )  # fmt: skip
    return len(letters)

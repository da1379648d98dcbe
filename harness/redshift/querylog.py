"""The query log: every statement with its time, rows, bytes and error, one JSON object a line.

In: what a session did. Out: the file, and a ring of the newest records for the system views. Passwords and keys never
reach it.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

import orjson

SQL_MAX_CHARACTERS = 4_000
KEEP_RECORDS = 10_000
_SECRETS = re.compile(
    r"(?i)\b(password|secret_access_key|access_key_id|session_token|credentials|master_symmetric_key)"
    r"(\s+(?:as\s+)?|\s*=\s*)('(?:[^']|'')*'|\"[^\"]*\")"
)


@dataclass(slots=True)
class Record:
    """One statement of one session; times are `time.time()` seconds, `transaction_id` counts within the session,
    `queued_s` is how long it waited for a slot (WLM, a model), `lock_wait_s` how long a COPY waited for its table,
    `table` what it puts rows into."""

    at_s: float
    session: int
    query_id: int
    kind: str
    sql: str
    transaction_id: int
    user: str
    database: str
    end_s: float = 0.0
    rows: int = 0
    bytes: int = 0
    error: str | None = None
    queued_s: float = 0.0
    lock_wait_s: float = 0.0
    table: str | None = None


class QueryLog:
    """Writes each record as it ends, before its client hears of it."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("ab") if path else None
        self._query_ids = count(1)
        self._when_ended: dict[int, Callable[[], None]] = {}
        self.ended: deque[Record] = deque(maxlen=KEEP_RECORDS)

    def begin(self, session: int, user: str, database: str, kind: str, sql: str, transaction_id: int) -> Record:
        return Record(
            time.time(), session, next(self._query_ids), kind, without_secrets(sql), transaction_id, user, database
        )

    def when_ended(self, record: Record, call: Callable[[], None]) -> None:
        """Call this once, when the record ends."""
        self._when_ended[record.query_id] = call

    def end(self, record: Record, rows: int = 0, size_bytes: int = 0, error: str | None = None) -> None:
        record.end_s, record.rows, record.bytes, record.error = time.time(), rows, size_bytes, error
        if call := self._when_ended.pop(record.query_id, None):
            call()
        self.ended.append(record)
        if self._file:
            self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
            self._file.flush()

    def newest_of(self, session: int) -> int:
        """The query id of the last statement of a session that has ended; -1 if none is kept. From any thread."""
        return next((record.query_id for record in reversed(list(self.ended)) if record.session == session), -1)

    def close(self) -> None:
        if self._file:
            self._file.close()


@lru_cache(maxsize=512)
def without_secrets(sql: str) -> str:
    """The statement as it may be logged: truncated, credentials replaced."""
    return _SECRETS.sub(r"\1\2'***'", sql[:SQL_MAX_CHARACTERS])

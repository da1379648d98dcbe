"""One request to run SQL: its statements, how far each is, and what the API says of them.

In: a checked ExecuteStatement or BatchExecuteStatement. Out: a `Job` that the runner moves along, and the answers of
DescribeStatement and ListStatements. Knows nothing of threads or connections. Source: Amazon Redshift Data API
Reference, "DescribeStatement", "SubStatementData", "StatementData".
"""

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.redshift import tokens as lex
from harness.redshift.data_api.errors import validation_error
from harness.redshift.data_api.results import Result

STATEMENT_MAX_BYTES = 100_000
FINAL = frozenset(("FINISHED", "FAILED", "ABORTED"))
_ECHOED = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")


@dataclass
class Part:
    """One SQL statement; times are `time.time()` seconds. rows: returned or affected, -1 while nobody knows."""

    text: str
    sql: str
    status: str = "SUBMITTED"
    error: str | None = None
    created_at_s: float = field(default_factory=time.time)
    updated_at_s: float = field(default_factory=time.time)
    duration_ns: int = -1
    rows: int = -1
    result: Result | None = None
    query_id: int = -1

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    def describe(self, identifier: str) -> dict[str, Any]:
        """What SubStatements and, for a single statement, DescribeStatement itself say of it."""
        return {
            "Id": identifier,
            "Status": self.status,
            "Error": self.error,
            "CreatedAt": utc(self.created_at_s),
            "UpdatedAt": utc(self.updated_at_s),
            "Duration": self.duration_ns,
            "QueryString": self.text,
            "ResultRows": self.rows,
            "ResultSize": self.result.size_bytes if self.result else 0 if self.is_final else -1,
            "RedshiftQueryId": self.query_id,
            "HasResultSet": self.result is not None,
        }


@dataclass
class Job:
    """What one request asked for. status: SUBMITTED, PICKED, STARTED, then FINISHED, FAILED or ABORTED."""

    request: dict[str, Any]
    parts: tuple[Part, ...]
    is_batch: bool
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "SUBMITTED"
    error: str | None = None
    created_at_s: float = field(default_factory=time.time)
    updated_at_s: float = field(default_factory=time.time)
    duration_ns: int = -1
    process_id: int = 0
    session_id: str | None = None
    cancel_asked: bool = False

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def in_one_transaction(self) -> bool:
        return self.is_batch and self.request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION"

    @property
    def result_format(self) -> str:
        return str(self.request.get("ResultFormat", "JSON"))

    def part(self, suffix: str) -> Part | None:
        """The statement that an identifier's suffix names: a number from 1, or nothing for the only one."""
        if not suffix:
            return None if self.is_batch else self.parts[0]
        number = int(suffix) if suffix.isdecimal() else 0
        return self.parts[number - 1] if self.is_batch and 0 < number <= len(self.parts) else None

    def echo(self) -> dict[str, Any]:
        """Whom the request named, as every answer repeats it."""
        return {name: self.request.get(name) for name in _ECHOED} | {"SessionId": self.session_id}

    def submitted(self) -> dict[str, Any]:
        """The answer of ExecuteStatement and BatchExecuteStatement; how far it is only if the caller waited."""
        answer = self.echo() | {"Id": self.id, "CreatedAt": utc(self.created_at_s), "DbGroups": []}
        if "WaitTimeSeconds" in self.request:
            has_result = any(part.result is not None for part in self.parts)
            answer |= {"Status": self.status, "HasResultSet": has_result, "RedshiftPid": self.process_id}
        return answer

    def describe(self) -> dict[str, Any]:
        """The answer of DescribeStatement."""
        common = self.echo() | {
            "RedshiftPid": self.process_id,
            "ResultFormat": self.result_format,
            "QueryParameters": self.request.get("Parameters"),
        }
        if not self.is_batch:
            return self.parts[0].describe(self.id) | common | self._progress()
        last = self.parts[-1]
        return common | self._progress() | {
            "Id": self.id,
            "CreatedAt": utc(self.created_at_s),
            "HasResultSet": any(part.result is not None for part in self.parts),
            "ResultRows": last.rows,
            "ResultSize": last.result.size_bytes if last.result else -1,
            "RedshiftQueryId": last.query_id if self.is_final else 0,
            "ExecutionMode": self.request.get("ExecutionMode", "TRANSACTION"),
            "SubStatements": [part.describe(f"{self.id}:{number}") for number, part in enumerate(self.parts, 1)],
        }  # fmt: skip

    def _progress(self) -> dict[str, Any]:
        return {
            "Status": self.status,
            "Error": self.error,
            "Duration": self.duration_ns,
            "UpdatedAt": utc(self.updated_at_s),
        }

    def listed(self) -> dict[str, Any]:
        """Its entry in the answer of ListStatements."""
        return {
            "Id": self.id,
            "Status": self.status,
            "StatementName": self.request.get("StatementName"),
            "SecretArn": self.request.get("SecretArn"),
            "CreatedAt": utc(self.created_at_s),
            "UpdatedAt": utc(self.updated_at_s),
            "QueryString": None if self.is_batch else self.parts[0].text,
            "QueryStrings": [part.text for part in self.parts] if self.is_batch else None,
            "QueryParameters": self.request.get("Parameters"),
            "IsBatchStatement": self.is_batch,
            "ResultFormat": self.result_format,
            "SessionId": self.session_id,
        }


def utc(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def job_of(request: dict[str, Any]) -> Job:
    """The job of an ExecuteStatement (`Sql`) or BatchExecuteStatement (`Sqls`), its parameters in place.

    Raises:
        ApiError: a statement is too long or empty, or a parameter is used by none of them or given twice.
    """
    texts = request.get("Sqls") or [request["Sql"]]
    if any(len(text.encode()) > STATEMENT_MAX_BYTES for text in texts):
        raise validation_error("Cannot process query string larger than 100kB")
    values = {parameter["name"]: parameter["value"] for parameter in request.get("Parameters", ())}
    if len(values) < len(request.get("Parameters", ())):
        names = Counter(parameter["name"] for parameter in request["Parameters"])
        raise validation_error(f"Parameters list contains duplicates: {[n for n in names if names[n] > 1]}")
    used: set[str] = set()
    parts = []
    for text in texts:
        tokens = lex.tokenize(text)
        if not lex.split_statements(tokens):
            raise validation_error("The query string is empty")
        parts.append(Part(text, _with_values(tokens, values, used)))
    if unused := sorted(set(values) - used):
        raise validation_error(f"Parameters list contains unused parameters. Unused parameters: {unused}")
    return Job(request, tuple(parts), is_batch="Sqls" in request)


def _with_values(tokens: list[lex.Token], values: dict[str, str], used: set[str]) -> str:
    """The statement with each `:name` that has a value replaced by it, as a literal of no type yet."""
    written: list[str] = []
    at = 0
    while at < len(tokens):
        token, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None
        name = following.text if following and following.kind in ("word", "number") else None
        if token.text == ":" and token.kind == "symbol" and name in values:
            used.add(name)
            written.append(lex.quote_string(values[name]))
            at += 2
        else:
            written.append(token.text)
            at += 1
    return "".join(written)

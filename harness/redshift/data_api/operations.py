"""The operations of the Redshift Data API: a checked request in, an answer out, or an ApiError.

Knows nothing of HTTP. Source: Amazon Redshift Data API Reference, one page an operation.
"""

from collections.abc import Callable
from typing import Any

from harness.redshift.data_api.errors import not_found, validation_error
from harness.redshift.data_api.job import Job, job_of
from harness.redshift.data_api.metadata import Metadata
from harness.redshift.data_api.results import Result, as_csv, field, page_of, read_token, write_token
from harness.redshift.data_api.runner import Runner

LIST_MAX = 100
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class DataApi:
    """The operations by name, over one runner."""

    def __init__(self, runner: Runner, metadata: Metadata) -> None:
        self._runner = runner
        self.operations: dict[str, Operation] = {
            "ExecuteStatement": self._execute,
            "BatchExecuteStatement": self._execute,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "GetStatementResultV2": self._result_v2,
            "ListStatements": self._list_statements,
            "CancelStatement": self._cancel,
            "ListSessions": self._list_sessions,
        } | {
            "ListDatabases": _checked(metadata.list_databases),
            "ListSchemas": _checked(metadata.list_schemas),
            "ListTables": _checked(metadata.list_tables),
            "DescribeTable": _checked(metadata.describe_table),
        }

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        if not request.get("SessionId"):
            check_target(request)
        job = self._runner.submit(job_of(request))
        self._wait(job, request)
        return job.submitted()

    def _wait(self, job: Job, request: dict[str, Any]) -> None:
        if seconds := request.get("WaitTimeSeconds"):
            self._runner.wait(job, seconds)

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        job, part = self._runner.job(request["Id"])
        self._wait(job, request)
        return job.describe() if part is None or not job.is_batch else job.echo() | part.describe(request["Id"])

    def _result(self, request: dict[str, Any]) -> dict[str, Any]:
        job, result = self._finished(request)
        if job.result_format != "JSON":
            raise validation_error("the result is in CSV: ask GetStatementResultV2 for it")
        rows, token = page_of(result, request["Id"], request.get("NextToken"))
        records = [[field(value) for value in row] for row in rows]
        return _described(result, token) | {"Records": records}

    def _result_v2(self, request: dict[str, Any]) -> dict[str, Any]:
        job, result = self._finished(request)
        if job.result_format != "CSV":
            raise validation_error("the result is in JSON: ask GetStatementResult for it")
        rows, token = page_of(result, request["Id"], request.get("NextToken"))
        text = as_csv(result, rows, header="NextToken" not in request)
        return _described(result, token) | {"ResultFormat": "CSV", "Records": [{"CSVRecords": text}]}

    def _finished(self, request: dict[str, Any]) -> tuple[Job, Result]:
        job, part = self._runner.job(request["Id"])
        self._wait(job, request)
        if part is None or part.result is None or job.status != "FINISHED":
            raise not_found("Query does not have result. Please check query status with DescribeStatement.")
        return job, part.result

    def _list_statements(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted, name = request.get("Status", "ALL"), request.get("StatementName", "")
        same = [key for key in ("ClusterIdentifier", "WorkgroupName", "Database") if key in request]
        found = [
            job.listed()
            for job in self._runner.jobs()
            if wanted in ("ALL", job.status)
            and job.request.get("StatementName", "").startswith(name)
            and all(job.request.get(key) == request[key] for key in same)
        ]
        return _page(request, "Statements", found)

    def _cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        if ":" in request["Id"]:
            raise validation_error("a statement of a batch cannot be cancelled by itself: cancel the batch")
        job, _ = self._runner.job(request["Id"])
        self._runner.cancel(job)
        return {"Status": True}

    def _list_sessions(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("Status")
        entries = (session.listed() for session in self._runner.sessions.all())
        found = [entry for entry in entries if wanted in (None, entry["Status"])]
        found = [entry for entry in found if request.get("SessionId") in (None, entry["SessionId"])]
        return _page(request, "Sessions", found)


def check_target(request: dict[str, Any]) -> None:
    """A request names one warehouse, and its database.

    Raises:
        ApiError: it does not.
    """
    if bool(request.get("ClusterIdentifier")) == bool(request.get("WorkgroupName")):
        raise validation_error("either ClusterIdentifier or WorkgroupName is required, and not both")
    if not request.get("Database"):
        raise validation_error("Database is required")


def _checked(operation: Operation) -> Operation:
    def checked(request: dict[str, Any]) -> dict[str, Any]:
        check_target(request)
        return operation(request)

    return checked


def _described(result: Result, token: str | None) -> dict[str, Any]:
    return {"ColumnMetadata": list(result.columns), "TotalNumRows": len(result.rows), "NextToken": token}


def _page(request: dict[str, Any], name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest first; new ones that come meanwhile shift nothing that a token stands for."""
    left = read_token(request.get("NextToken"), name)
    at = len(found) - left if left else 0
    behind = max(at, 0) + (request.get("MaxResults") or LIST_MAX)
    token = write_token(name, len(found) - behind) if behind < len(found) else None
    return {name: found[max(at, 0) : behind], "NextToken": token}

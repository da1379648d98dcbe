"""Faults of AWS' APIs: a share of the calls of some operations is refused, as S3, SQS and Lambda refuse.

The emulator does it (`harness.localstack.api_faults`), for functions, sources, COPY and the polling of queues
alike; the harness's own calls are left alone.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import HarnessError
from harness.faults.site import Site

PATH = "/_localstack/nrt/faults"
TIMEOUT_S = 10
Error = Literal[
    "SlowDown", "InternalError", "ServiceUnavailable", "AccessDenied", "ThrottlingException", "TooManyRequestsException"
]

# Status and message: Amazon S3 API Reference, "Error responses"; Amazon SQS and AWS Lambda API Reference, "Common
# errors" and "Invoke".
ERRORS: dict[str, tuple[int, str]] = {
    "SlowDown": (503, "Please reduce your request rate."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
    "AccessDenied": (403, "Access Denied"),
    "ThrottlingException": (400, "Rate exceeded"),
    "TooManyRequestsException": (429, "Rate Exceeded."),
}


@dataclass(frozen=True)
class ApiErrors:
    """`rate` (0 to 1) of the calls of each of these operations get this error; `resource` narrows them to keys, queues
    or functions that begin with it. Which call of an operation is refused comes from `seed`."""

    service: Literal["s3", "sqs", "lambda"]
    operations: tuple[str, ...]
    error: Error
    rate: float
    resource: str = ""
    seed: int = 1

    @property
    def name(self) -> str:
        of = f" of {self.resource}…" if self.resource else ""
        return f"{self.service} {', '.join(self.operations)}{of}: {self.rate:.0%} {self.error}"

    def _rules(self) -> list[dict[str, Any]]:
        status, message = ERRORS[self.error]
        return [
            {
                "service": self.service, "operation": operation, "code": self.error, "message": message,
                "status": status, "rate": self.rate, "seed": self.seed, "resource": self.resource,
            }
            for operation in self.operations
        ]  # fmt: skip

    def inject(self, site: Site) -> Callable[[], str | None]:
        url = site.aws.endpoints.aws_endpoint_url
        _ask(url, _others(_ask(url), self._rules()) + self._rules())

        def heal() -> str | None:
            now = _ask(url)
            mine = [rule for rule in now if _same(rule, self._rules())]
            _ask(url, _others(now, self._rules()))
            refused, seen = sum(rule["refused"] for rule in mine), sum(rule["seen"] for rule in mine)
            return f"{refused:,} of {seen:,} calls were refused" if refused else None

        return heal


def _same(rule: dict[str, Any], rules: list[dict[str, Any]]) -> bool:
    return any(all(rule[name] == value for name, value in one.items()) for one in rules)


def _others(now: list[dict[str, Any]], rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counters = ("seen", "refused")
    return [{k: v for k, v in rule.items() if k not in counters} for rule in now if not _same(rule, rules)]


def _ask(url: str, rules: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Set the emulator's rules, or read them with their counts."""
    request = urllib.request.Request(f"{url}{PATH}", method="GET" if rules is None else "PUT")
    if rules is not None:
        request.data = json.dumps({"rules": rules}).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            found: list[dict[str, Any]] = json.load(answer).get("rules", [])
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise HarnessError(f"the emulator cannot be told to refuse calls: {error}") from error
    return found

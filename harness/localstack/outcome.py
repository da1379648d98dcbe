"""What came of an invoke, and the words Lambda has for it: error payloads and the platform's log lines.

In: what happened to a process. Out: values and text. Pure; knows neither processes nor LocalStack. Texts are AWS's:
the errors as recorded in LocalStack's AWS-validated snapshots of November 2025 (test_lambda.snapshot.json, tests
test_lambda_invoke_with_timeout, test_lambda_handler_exit, test_lambda_runtime_wrapper_not_found), the log lines as in
"Sending Lambda function logs to CloudWatch Logs".
"""

import json
import math
import signal
from dataclasses import dataclass
from enum import StrEnum

from harness.localstack.launcher import Exit

RESPONSE_SIZE_MAX_BYTES = 6 * 1024 * 1024 + 100
"""Of a synchronous invoke: 6,291,556 bytes (AWS: Lambda quotas, and the text of Function.ResponseSizeTooLarge)."""


class Status(StrEnum):
    """How an invoke ended."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"
    INIT_ERROR = "init_error"


@dataclass(frozen=True)
class Invocation:
    """One event for one environment."""

    request_id: str
    payload: bytes
    function_arn: str
    """As invoked: with the qualifier, if one was given."""
    trace_id: str = ""
    """X-Ray header, `Root=…;Parent=…;Sampled=…`."""
    client_context: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the caller gets, and what the platform writes about it."""

    status: Status
    payload: bytes
    output: str
    """What the function printed, initialisation included if this invoke waited for it."""
    started_s: float
    ended_s: float
    duration_ms: float
    cold: bool
    environment_id: str = ""
    init_ms: float | None = None
    """Only when the environment was initialised for this invoke, and in time."""
    peak_memory_mb: int = 0
    error_type: str | None = None
    host_wait_ms: float = 0.0
    """How long the invoke waited because this machine holds no more environments; AWS has no such thing."""


def exit_reason(ended: Exit) -> str:
    """The end of a process in the words of Lambda's runtime supervisor (Go's os.ProcessState)."""
    if ended.signal is not None:
        return f"Runtime exited with error: signal: {_GO_SIGNALS.get(ended.signal, signal.strsignal(ended.signal))}"
    if ended.code:
        return f"Runtime exited with error: exit status {ended.code}"
    return "Runtime exited without providing a reason"


_GO_SIGNALS = {
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGTERM: "terminated",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
}


def error_payload(error_type: str, message: str) -> bytes:
    """A platform error as the caller of Invoke sees it."""
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()


def exit_payload(request_id: str, ended: Exit) -> bytes:
    """The process ended before it answered."""
    return error_payload("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_reason(ended)}")


def timeout_payload(request_id: str, timeout_s: float) -> bytes:
    """The function took longer than its timeout."""
    return error_payload(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds"
    )


def too_large_payload(most_bytes: int) -> bytes:
    """The response is over the limit."""
    return error_payload(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({most_bytes} bytes).",
    )


def error_type_of(payload: bytes) -> str | None:
    """The errorType of an error payload, if it has one."""
    try:
        error = json.loads(payload)
    except ValueError:
        return None
    return error.get("errorType") if isinstance(error, dict) else None


def log_text(outcome: Outcome, request_id: str, version: str, memory_mb: int) -> str:
    """Everything CloudWatch Logs gets for one invoke, line by line."""
    output = outcome.output if not outcome.output or outcome.output.endswith("\n") else outcome.output + "\n"
    lines = [f"START RequestId: {request_id} Version: {version}\n", output]
    if outcome.status is Status.TIMEOUT:
        lines.append(f"RequestId: {request_id} Error: Task timed out after {outcome.duration_ms / 1000:.2f} seconds\n")
    elif outcome.status is Status.CRASH:
        lines.append(json.loads(outcome.payload)["errorMessage"] + f"\n{outcome.error_type}\n")
    lines += [f"END RequestId: {request_id}\n", report_line(outcome, request_id, memory_mb)]
    return "".join(lines)


def report_line(outcome: Outcome, request_id: str, memory_mb: int) -> str:
    """The REPORT line. Since August 2025 the init phase is billed for every kind of function (AWS: Lambda pricing)."""
    billed_ms = math.ceil(outcome.duration_ms + (outcome.init_ms or 0.0))
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {outcome.duration_ms:.2f} ms",
        f"Billed Duration: {billed_ms} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {outcome.peak_memory_mb} MB",
    ]
    if outcome.init_ms is not None:
        parts.append(f"Init Duration: {outcome.init_ms:.2f} ms")
    if outcome.status is Status.TIMEOUT:
        parts.append("Status: timeout")
    elif outcome.status in (Status.CRASH, Status.INIT_ERROR):
        parts += ["Status: error", f"Error Type: {outcome.error_type}"]
    return "\t".join(parts) + "\n"

"""What came of an invoke, and the words Lambda has for its errors.

In: what happened to a process. Out: values and text. Pure; knows neither processes nor LocalStack. Texts are AWS's:
the errors as recorded in LocalStack's AWS-validated snapshots of November 2025 (test_lambda.snapshot.json, tests
test_lambda_invoke_with_timeout, test_lambda_handler_exit, test_lambda_runtime_wrapper_not_found).
"""

import json
import re
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
class Initialisation:
    """One start of the runtime and the function's static code, until both were ready or had failed."""

    in_invoke: bool
    """False for the init phase; true for what is tried again within an invoke ("suppressed init")."""
    output: str
    duration_ms: float
    ended_s: float
    status: str = "success"
    """Or `timeout`, or `error`."""
    error_type: str | None = None
    """Only of an error."""


@dataclass(frozen=True)
class Outcome:
    """What the caller gets, and what the platform writes about it."""

    status: Status
    payload: bytes
    output: str
    """What the function printed since it was ready; what it printed before is in `initialisations`."""
    started_s: float
    ended_s: float
    duration_ms: float
    cold: bool
    environment_id: str = ""
    init_ms: float | None = None
    """Only when the environment was initialised for this invoke, and in time."""
    init_at_s: float | None = None
    """When the process that ran it was started, if none had run in it before."""
    peak_memory_mb: int = 0
    error_type: str | None = None
    """The `errorType` that the caller gets."""
    over_memory: bool = False
    initialisations: tuple[Initialisation, ...] = ()
    """Those since the last invoke, in order."""
    host_wait_ms: float = 0.0
    """How long the invoke waited because this machine holds no more environments; AWS has no such thing."""

    @property
    def printed(self) -> str:
        """Everything that the function wrote, before it was ready and since."""
        return "".join([*(one.output for one in self.initialisations), self.output])


def platform_error_type(told: str | None) -> str:
    """What the platform's own lines call an error that the runtime names `told`.

    Names of other than these families are the function's business (AWS: lambda-runtime-interface-emulator, fatalerror).
    """
    return told if told and re.search(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", told) else "Runtime.Unknown"


def exit_reason(ended: Exit) -> str:
    """The end of a process in the words of Lambda's runtime supervisor (Go's os.ProcessState)."""
    if ended.signal is not None:
        return f"Runtime exited with error: signal: {_GO_SIGNALS.get(ended.signal, signal.strsignal(ended.signal))}"
    if ended.code:
        return f"Runtime exited with error: exit status {ended.code}"
    return "Runtime exited without providing a reason"


_GO_SIGNALS: dict[int, str | None] = {
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

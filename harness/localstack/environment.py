"""One Lambda execution environment: a process running a Lambda runtime against its own Runtime API.

Its life is the one AWS describes in "Understanding the Lambda execution environment lifecycle": an init phase of at
most 10 s; if that fails, once more within the invoke, then under the function's timeout; frozen between invokes; killed
on a timeout or over its memory, and started anew, with the same /tmp, at the next invoke ("suppressed init").

In: what to run, and invocations. Out: an `Outcome` each. The thread that waits for an outcome drives all of the
environment's input and output, so an idle environment costs no thread. Knows nothing of LocalStack.
"""

import selectors
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from harness.localstack.capacity import AT_ONCE, Admission, Capacity, Turn
from harness.localstack.launcher import Child, Exit, Launcher
from harness.localstack.outcome import (
    RESPONSE_SIZE_MAX_BYTES,
    Initialisation,
    Invocation,
    Outcome,
    Status,
    error_type_of,
    exit_payload,
    platform_error_type,
    timeout_payload,
    too_large_payload,
)
from harness.localstack.room import View
from harness.localstack.runtime_api import PORT, Request, RuntimeApi

INIT_LIMIT_S = 10.0
"""AWS: "The Init phase is limited to 10 seconds.\""""
MEMORY_CHECK_S = 0.1
API = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Program:
    """What an environment runs, and within which bounds."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    cwd: str
    memory_mb: int
    timeout_s: float
    response_max_bytes: int = RESPONSE_SIZE_MAX_BYTES
    view: View | None = None
    """Its private file system; None for the machine's own."""


@dataclass
class _Turn:
    """What the runtime has told us since we last asked something of it."""

    ready: bool = False
    response: bytes | None = None
    is_error: bool = False
    init_error: bytes | None = None
    exit: Exit | None = None
    over_memory: bool = False
    output: list[bytes] = field(default_factory=list)

    def take_output(self) -> str:
        """What was printed since this was last asked."""
        text = b"".join(self.output).decode("utf-8", "replace")
        self.output.clear()
        return text

    @property
    def failed(self) -> bool:
        return self.exit is not None or self.init_error is not None


class Environment:
    """An execution environment. `invoke` and `hibernate` exclude each other; `stop` interrupts."""

    def __init__(
        self,
        identifier: str,
        program: Program,
        launcher: Launcher,
        capacity: Capacity,
        *,
        evictable: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = identifier
        self._clock = clock
        self._program = program
        self._launcher = launcher
        self._capacity = capacity
        self._evictable = evictable
        self._lock = threading.Lock()
        self._stopped = False
        self._child: Child | None = None
        self._api: RuntimeApi | None = None
        self._selector: selectors.BaseSelector | None = None
        self._next: Request | None = None
        self._turn = _Turn()
        self._request_id = ""
        self._init_ms: float | None = None
        self._init_at_s: float | None = None
        self._init_tried = False
        self._initialisations: list[Initialisation] = []
        self._cold = True
        self._host_wait_s = 0.0
        self._peak_mb = 0.0

    @property
    def is_warm(self) -> bool:
        """Whether its process is there."""
        return self._child is not None

    def init(self, limit_s: float = INIT_LIMIT_S) -> bool:
        """The init phase ahead of any invoke; whether it succeeded. A failure shows in the next invoke, as on AWS."""
        with self._lock:
            self._initialise(limit_s)
            self._rest()
            return self._turn.ready

    def invoke(self, invocation: Invocation, admission: Admission = AT_ONCE) -> Outcome:
        """Run one event to its end."""
        self._capacity.busy(self)
        with self._lock:
            try:
                self._host_wait_s += admission.waited_s
                return self._invoke(invocation, admission.turn)
            finally:
                self._rest()

    def _invoke(self, invocation: Invocation, turn: Turn | None) -> Outcome:
        started_s, began = time.time(), self._clock()
        if self._child is None and not self._init_tried:
            self._initialise(INIT_LIMIT_S, turn)
            started_s, began = time.time(), self._clock()
        self._request_id = invocation.request_id
        deadline = began + self._program.timeout_s
        cold, init_ms = self._cold, self._init_ms
        self._init_ms, self._cold = None, False
        if self._child is None:
            init_ms, cold = None, True
            waited_s = self._start(deadline, turn)
            began += waited_s
            deadline += waited_s
            self._note_initialisation((self._clock() - began) * 1000, in_invoke=True)
        else:
            self._child.thaw()
        initialised = self._turn.ready
        if initialised:
            self._serve(invocation, deadline, started_s + self._program.timeout_s)
        self._peak_mb = max(self._peak_mb, self._child.peak_memory_mb() if self._child else 0.0)
        if self._peak_mb > self._program.memory_mb and self._turn.exit is None:
            self._turn.exit, self._turn.response, self._turn.ready = Exit(None, signal.SIGKILL), None, False
            self._turn.over_memory = True
        status, payload = self._judge(invocation, initialised)
        duration_ms = (self._clock() - began) * 1000
        if status is Status.TIMEOUT:
            duration_ms = self._program.timeout_s * 1000
        if not self._turn.ready:
            self._end()
        outcome = Outcome(
            status=status,
            payload=payload,
            output=self._turn.take_output(),
            started_s=started_s,
            ended_s=time.time(),
            duration_ms=duration_ms,
            cold=cold,
            environment_id=self.id,
            init_ms=init_ms,
            init_at_s=self._init_at_s,
            peak_memory_mb=min(round(self._peak_mb), self._program.memory_mb),
            error_type=error_type_of(payload) if status is not Status.OK else None,
            over_memory=self._turn.over_memory,
            initialisations=tuple(self._initialisations),
            host_wait_ms=self._host_wait_s * 1000,
        )
        self._initialisations.clear()
        self._host_wait_s, self._init_at_s = 0.0, None
        self._turn = _Turn(ready=self._turn.ready)
        return outcome

    def _initialise(self, limit_s: float, turn: Turn | None = None) -> None:
        """The init phase. What follows is the caller's: in an invoke it is not idle in between."""
        began, self._init_tried = self._clock(), True
        waited_s = self._start(began + limit_s, turn)
        duration_ms = (self._clock() - began - waited_s) * 1000
        if self._turn.ready:
            self._init_ms = duration_ms
        else:
            self._end()
        self._note_initialisation(duration_ms, in_invoke=False)

    def _serve(self, invocation: Invocation, deadline: float, deadline_s: float) -> None:
        """Hand the event to the runtime and wait until it has answered and asks for the next."""
        assert self._next is not None
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline_s * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        }
        if invocation.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        waiting, self._next = self._next, None
        self._turn.ready = False
        waiting.connection.answer(HTTPStatus.OK, invocation.payload, headers)
        self._pump(deadline, lambda turn: turn.ready or turn.exit is not None)

    def _judge(self, invocation: Invocation, initialised: bool) -> tuple[Status, bytes]:
        turn = self._turn
        if turn.response is not None:
            return (Status.ERROR if turn.is_error else Status.OK), turn.response
        if turn.init_error is not None:
            return Status.INIT_ERROR, turn.init_error
        if turn.exit is not None:
            status = Status.CRASH if initialised else Status.INIT_ERROR
            return status, exit_payload(invocation.request_id, turn.exit)
        return Status.TIMEOUT, timeout_payload(invocation.request_id, self._program.timeout_s)

    def _start(self, deadline: float, turn: Turn | None = None) -> float:
        """Start the process, once this machine has room and a turn for it, and let it get ready; what it waited, s.

        `deadline` does not count the wait for the machine, which is noted.
        """
        waited_s = self._capacity.acquire(turn)
        if turn is None or turn.is_over:
            turn = self._capacity.turn()
            waited_s += turn.waited_s
        deadline += waited_s
        self._host_wait_s += waited_s
        try:
            self._spawn()
            # an initialisation within an invoke may take as long as the function: others start meanwhile
            self._run_until_ready(min(deadline, self._clock() + INIT_LIMIT_S))
        finally:
            turn.over()
        self._run_until_ready(deadline)
        return waited_s

    def _spawn(self) -> None:
        self._turn = _Turn()
        self._init_at_s = time.time()
        self._peak_mb = 0.0
        self._selector = selectors.DefaultSelector()
        self._api = RuntimeApi(self._selector)
        host = self._api.host
        variables = self._program.environment | {
            "AWS_LAMBDA_RUNTIME_API": f"{host}:{PORT}",
            "AWS_XRAY_DAEMON_ADDRESS": f"{host}:2000",
            "_AWS_XRAY_DAEMON_ADDRESS": host,
        }
        try:
            self._child = self._launcher.start(
                self._program.argv, variables, self._program.cwd, self.id, self._program.view
            )
        except OSError:
            self._end()
            raise
        self._selector.register(self._child.output, selectors.EVENT_READ, self._read_output)
        self._selector.register(self._child.status, selectors.EVENT_READ, self._read_exit)
        if self._stopped:
            self._child.kill()

    def _note_initialisation(self, duration_ms: float, *, in_invoke: bool) -> None:
        """Keep what came of one for the invoke's log."""
        turn = self._turn
        status, error_type = "timeout", None
        if turn.ready:
            status = "success"
        elif turn.init_error is not None or turn.exit is not None:
            told = error_type_of(turn.init_error) if turn.init_error is not None else "Runtime.ExitError"
            status, error_type = "error", platform_error_type(told)
        self._initialisations.append(
            Initialisation(in_invoke, turn.take_output(), duration_ms, time.time(), status, error_type)
        )

    def _run_until_ready(self, deadline: float) -> None:
        self._pump(deadline, lambda turn: turn.ready or turn.failed)

    def _pump(self, deadline: float, done: "Callable[[_Turn], bool]") -> None:
        """Move bytes until `done`, or the deadline has passed."""
        assert self._selector is not None
        check_at = self._clock() + MEMORY_CHECK_S
        while not done(self._turn):
            now = self._clock()
            if now >= deadline:
                return
            if now >= check_at:
                self._check_memory()
                check_at = now + MEMORY_CHECK_S
            for key, _ in self._selector.select(max(0.0, min(deadline, check_at) - now)):
                for request in key.data() or ():
                    self._handle(request)
        self._read_output()

    def _read_output(self) -> None:
        assert self._child is not None
        self._turn.output.append(self._child.read_output())

    def _read_exit(self) -> None:
        assert self._child is not None
        assert self._selector is not None
        if ended := self._child.poll():
            self._read_output()
            self._peak_mb = max(self._peak_mb, ended.peak_memory_mb)
            self._turn.exit = Exit(None, signal.SIGKILL) if self._turn.over_memory else ended
            self._turn.ready = False
            self._selector.unregister(self._child.status)

    def _check_memory(self) -> None:
        assert self._child is not None
        used_mb = self._child.memory_mb()
        self._peak_mb = max(self._peak_mb, used_mb)
        if used_mb > self._program.memory_mb:
            self._turn.over_memory = True
            self._child.kill()

    def _handle(self, request: Request) -> None:
        """Answer one request of the runtime."""
        path = request.path.removeprefix(API)
        if request.method == "GET" and path == "invocation/next":
            self._next = request
            self._turn.ready = True
        elif request.method == "POST" and path == "init/error":
            self._turn.init_error = request.body
            request.connection.answer(HTTPStatus.ACCEPTED, b'{"status":"OK"}')
        elif request.method == "POST" and path.startswith("invocation/") and path.endswith(("/response", "/error")):
            self._take_answer(request, path)
        else:
            request.connection.answer(HTTPStatus.NOT_FOUND, b'{"errorMessage":"page not found"}')

    def _take_answer(self, request: Request, path: str) -> None:
        _, request_id, kind = path.split("/", 2)
        if request_id != self._request_id or self._turn.response is not None:
            body = b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}'
            request.connection.answer(HTTPStatus.BAD_REQUEST, body)
            return
        self._turn.is_error = kind == "error"
        self._turn.response = request.body
        if len(request.body) > self._program.response_max_bytes:
            too_large = too_large_payload(self._program.response_max_bytes)
            self._turn.is_error, self._turn.response = True, too_large
            body = b'{"errorMessage":"Exceeded maximum allowed payload size","errorType":"RequestEntityTooLarge"}'
            request.connection.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body)
            return
        request.connection.answer(HTTPStatus.ACCEPTED, b'{"status":"OK"}')

    def _rest(self) -> None:
        """Freeze until the next invoke."""
        if self._child is None:
            return
        if self._stopped:
            self._end()
            return
        self._child.freeze()
        if self._evictable:
            self._capacity.idle(self)

    def _end(self) -> None:
        """End the process, if there is one, and free what belongs to it. What it printed last is kept."""
        if self._child:
            self._child.kill()
            self._turn.output.append(self._child.read_output())
            self._child.close()
        if self._api:
            self._api.close()
        if self._selector:
            self._selector.close()
            self._capacity.release()
        self._turn.ready = False
        self._child = self._api = self._selector = self._next = None

    def hibernate(self) -> None:
        """End the process; the next invoke is a cold start."""
        with self._lock:
            self._end()
            self._forget_room()
            self._init_tried, self._cold = False, True

    def stop(self) -> None:
        """End it for good, an invoke in progress included."""
        self._stopped = True
        if child := self._child:
            child.kill()
        with self._lock:
            self._capacity.gone(self)
            self._end()
            self._forget_room()

    def _forget_room(self) -> None:
        if self._program.view:
            self._launcher.forget(self.id)

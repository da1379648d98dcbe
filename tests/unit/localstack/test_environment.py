"""An execution environment with a real process and the real runtime client, without an emulator."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.localstack.capacity import Admission, Capacity
from harness.localstack.environment import INIT_LIMIT_S, Environment, Program
from harness.localstack.launcher import Launcher
from harness.localstack.outcome import Invocation, Status
from harness.localstack.platform_log import LoggedFunction, log_text

HANDLER = """
import os, subprocess, sys, time
def handler(event, context):
    if "tell" in event: open(event["tell"], "w").close()
    if "exit" in event: os._exit(event["exit"])
    if "sleep" in event: time.sleep(event["sleep"])
    if "child" in event: return subprocess.Popen(["sleep", "600"], start_new_session=event["child"]).pid
    return os.getpid()
"""
Make = Callable[..., Environment]


class Clock:
    """The machine's clock, put forward by hand."""

    forward_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.forward_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.fixture
def make(launcher: Launcher, clock: Clock, tmp_path: Path) -> Make:
    """Make environments of the handler above."""
    capacity = Capacity(100)

    def make(source: str = HANDLER, timeout_s: float = 10, held: Capacity = capacity) -> Environment:
        (tmp_path / "code.py").write_text(source)
        argv = (sys.executable, "-m", "awslambdaric", "code.handler")
        program = Program(argv, {"PATH": os.environ["PATH"]}, str(tmp_path), 256, timeout_s)
        return Environment("id", program, launcher, held, evictable=True, clock=clock)

    return make


def _invoke(environment: Environment, event: bytes = b"{}") -> tuple[Status, bytes]:
    outcome = environment.invoke(Invocation("request", event, "arn"))
    return outcome.status, outcome.payload


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the latter when it goes between opening and reading
        return False
    return state != "Z"


def _until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_second_invoke_is_warm(make: Make) -> None:
    environment = make()
    environment.init()
    first = environment.invoke(Invocation("1", b"{}", "arn"))
    second = environment.invoke(Invocation("2", b"{}", "arn"))
    assert first.payload == second.payload
    assert (first.cold, second.cold) == (True, False)
    assert first.init_ms is not None
    assert second.init_ms is None
    assert "Init Duration" in log_text(first, "1", LoggedFunction("f", "$LATEST", 256))
    environment.stop()


def test_it_is_stopped_between_invokes(make: Make) -> None:
    environment = make()
    _, pid = _invoke(environment)
    _until(lambda: Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    environment.stop()


def test_a_timeout_kills_and_the_next_invoke_starts_anew(make: Make, clock: Clock, tmp_path: Path) -> None:
    # the next invoke's start counts against the timeout, so that a short one would depend on how busy the machine is
    environment = make(timeout_s=60)
    _, before = _invoke(environment)
    began = tmp_path / "began"
    asleep = json.dumps({"tell": str(began), "sleep": 600}).encode()
    with ThreadPoolExecutor() as thread:
        invoked = thread.submit(_invoke, environment, asleep)
        _until(began.exists)
        assert not invoked.done()
        clock.forward_s += 60
        status, payload = invoked.result(30)
    assert status is Status.TIMEOUT
    assert b"Task timed out after 60.00 seconds" in payload
    _until(lambda: not _is_alive(int(before)))
    status, after = _invoke(environment)
    assert status is Status.OK
    assert after != before
    environment.stop()


def test_an_exit_is_a_crash(make: Make) -> None:
    environment = make()
    status, payload = _invoke(environment, b'{"exit": 7}')
    assert status is Status.CRASH
    assert b"exit status 7" in payload
    environment.stop()


def test_an_init_error_is_an_answer(make: Make) -> None:
    environment = make("raise ImportError('broken')")
    environment.init()
    status, payload = _invoke(environment)
    assert status is Status.INIT_ERROR
    assert b"broken" in payload
    environment.stop()


def test_every_initialisation_is_told_once(make: Make) -> None:
    environment = make("import os\nprint('loading', flush=True)\nos._exit(3)")
    environment.init()
    outcome = environment.invoke(Invocation("1", b"{}", "arn"))
    first, second = outcome.initialisations
    assert (first.in_invoke, second.in_invoke) == (False, True)
    assert (first.status, first.error_type) == (second.status, second.error_type) == ("error", "Runtime.ExitError")
    assert first.output == second.output == "loading\n"
    assert outcome.output == ""
    assert len(environment.invoke(Invocation("2", b"{}", "arn")).initialisations) == 1
    environment.stop()


def test_what_is_printed_while_the_code_loads_is_told_apart(make: Make) -> None:
    environment = make("print('loading')\ndef handler(event, context): print('running')")
    outcome = environment.invoke(Invocation("1", b"{}", "arn"))
    assert [one.output for one in outcome.initialisations] == ["loading\n"]
    assert outcome.initialisations[0].status == "success"
    assert (outcome.output, outcome.printed) == ("running\n", "loading\nrunning\n")
    assert environment.invoke(Invocation("2", b"{}", "arn")).initialisations == ()
    environment.stop()


def test_stop_interrupts_an_invoke(make: Make) -> None:
    environment = make(timeout_s=60)
    environment.init()
    outcome: list[Status] = []
    thread = threading.Thread(target=lambda: outcome.append(_invoke(environment, b'{"sleep": 50}')[0]))
    thread.start()
    environment.stop()
    thread.join(10)
    assert outcome in ([Status.CRASH], [Status.INIT_ERROR], [])


def test_a_child_that_was_closed_can_still_be_killed(launcher: Launcher) -> None:
    """Its descriptors are gone, and may be another file's by now: they must not be read again."""
    child = launcher.start(["sleep", "600"], {}, "/")
    child.kill()
    child.close()
    child.kill()
    assert child.poll() is not None
    _until(lambda: not _is_alive(child.pid))


@pytest.mark.parametrize("own_session", [b"true", b"false"])
def test_what_the_handler_started_goes_with_it(make: Make, launcher: Launcher, own_session: bytes) -> None:
    environment = make()
    _, child = _invoke(environment, b'{"child": ' + own_session + b"}")
    assert _is_alive(int(child))
    environment.stop()
    launcher.close()
    _until(lambda: not _is_alive(int(child)))


def test_an_idle_environment_makes_room_for_another(make: Make) -> None:
    narrow = Capacity(1)
    first, second = make(held=narrow), make(held=narrow)
    _, one = _invoke(first)
    _invoke(second)
    _until(lambda: not _is_alive(int(one)))
    assert first.invoke(Invocation("r", b"{}", "arn")).cold
    first.stop()
    second.stop()


def test_in_its_first_invoke_it_is_not_idle(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Taken for idle, it would be ended for another, which then waits for just this one, and nobody is told."""
    narrow, told = Capacity(1), tmp_path / "told"
    busy, other = make(held=narrow), make(held=narrow)
    with ThreadPoolExecutor() as threads:
        event = json.dumps({"tell": str(told), "sleep": 600}).encode()
        invoke = threads.submit(busy.invoke, Invocation("r", event, "arn"))
        _until(told.exists)
        waiting = threads.submit(_invoke, other)
        try:
            _until(lambda: "NRT_MAX_ENVIRONMENTS" in caplog.text)
        finally:
            busy.stop()
        assert invoke.result().status is Status.CRASH
        assert waiting.result()[0] is Status.OK
    other.stop()


def test_a_start_waits_for_its_turn(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    held, begun = Capacity(100, most_starts=1), tmp_path / "begun"
    environment = make(f"open({str(begun)!r}, 'w').close()\n{HANDLER}", held=held)
    with ThreadPoolExecutor() as threads:
        turn = held.turn()
        invoke = threads.submit(environment.invoke, Invocation("r", b"{}", "arn"))
        _until(lambda: "NRT_MAX_STARTS" in caplog.text)
        assert not begun.exists()
        turn.over()
        outcome = invoke.result()
    assert outcome.status is Status.OK
    assert outcome.host_wait_ms > turn.waited_s * 1000
    environment.stop()


def test_a_turn_to_start_is_over_when_the_function_is_ready(make: Make, tmp_path: Path) -> None:
    held, told = Capacity(100, most_starts=1), tmp_path / "told"
    busy, other = make(held=held), make(held=held)
    with ThreadPoolExecutor() as threads:
        event = json.dumps({"tell": str(told), "sleep": 600}).encode()
        invoke = threads.submit(busy.invoke, Invocation("r", event, "arn"))
        _until(told.exists)
        assert _invoke(other)[0] is Status.OK
        busy.stop()
        assert invoke.result().status is Status.CRASH
    other.stop()


def test_a_start_that_hangs_gives_its_turn_to_others(make: Make, clock: Clock, tmp_path: Path) -> None:
    held, begun = Capacity(100, most_starts=1), tmp_path / "begun"
    source = f"import time; open({str(begun)!r}, 'a').write('x'); time.sleep(600)"
    hanging = make(source, timeout_s=900, held=held)
    with ThreadPoolExecutor() as threads:
        invoke = threads.submit(hanging.invoke, Invocation("r", b"{}", "arn"))
        _until(lambda: begun.exists() and begun.read_text() == "x")
        clock.forward_s += INIT_LIMIT_S + 1  # the init phase is over, and begins once more within the invoke
        _until(lambda: begun.read_text() == "xx")
        assert not held._turns
        clock.forward_s += INIT_LIMIT_S + 1
        other = make(held=held)
        started = threads.submit(_invoke, other)
        try:
            _until(started.done)
            assert started.result()[0] is Status.OK
            assert not invoke.done()
        finally:
            hanging.stop()
        assert invoke.result().status is Status.INIT_ERROR
    other.stop()


def test_a_start_that_fails_gives_its_turn_back(make: Make) -> None:
    held = Capacity(100, most_starts=1)
    failing = make("raise RuntimeError('no')", held=held)
    assert _invoke(failing)[0] is Status.INIT_ERROR
    failing.stop()
    other = make(held=held)
    assert _invoke(other)[0] is Status.OK
    other.stop()


def test_a_start_within_an_invoke_takes_the_turn_that_the_invoke_has(make: Make) -> None:
    """Where an earlier initialisation failed; were it to wait for another turn, it might be for its own."""
    held = Capacity(100, most_starts=1)
    failing = make("raise RuntimeError('no')", held=held)
    with ThreadPoolExecutor() as threads:
        for _ in range(2):
            admission = Admission(held.turn(), 0.5)
            outcome = threads.submit(failing.invoke, Invocation("r", b"{}", "arn"), admission).result(60)
            assert outcome.status is Status.INIT_ERROR
            assert outcome.host_wait_ms >= 500
            assert admission.turn is not None
            assert admission.turn.is_over
    failing.stop()


def test_an_environment_that_is_being_ended_takes_no_event_before_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise who needs its room would wait for that event's end, and no log would say so."""
    caplog.set_level("INFO")
    held, may_end, ended = Capacity(1), threading.Event(), threading.Event()

    class Victim:
        def hibernate(self) -> None:
            assert may_end.wait(10)
            ended.set()
            held.release()

    victim = Victim()
    held.acquire()
    held.idle(victim)
    with ThreadPoolExecutor() as threads:
        newcomer = threads.submit(held.acquire)
        _until(lambda: "ending an idle one" in caplog.text)
        event = threads.submit(lambda: (held.busy(victim), ended.is_set()))
        time.sleep(0.05)
        assert not event.done()
        held.gone(victim)  # who ends it for good does not wait
        may_end.set()
        assert event.result(10) == (None, True)
        newcomer.result(10)


def test_nothing_outlives_a_killed_owner(tmp_path: Path) -> None:
    """The owner is killed while an environment is frozen and has a child in a session of its own."""
    (tmp_path / "code.py").write_text(HANDLER)
    owner = tmp_path / "owner.py"
    owner.write_text(
        "import sys, time\n"
        "from harness.localstack.capacity import Capacity\n"
        "from harness.localstack.environment import Environment, Program\n"
        "from harness.localstack.launcher import Launcher\n"
        "from harness.localstack.outcome import Invocation\n"
        "argv = (sys.executable, '-m', 'awslambdaric', 'code.handler')\n"
        f"program = Program(argv, {{}}, {str(tmp_path)!r}, 256, 10)\n"
        "environment = Environment('id', program, Launcher(), Capacity(1), evictable=True)\n"
        "for event in (b'{}', b'{\"child\": true}'):\n"
        "    print(environment.invoke(Invocation('r', event, 'arn')).payload.decode(), flush=True)\n"
        "time.sleep(600)\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    with subprocess.Popen(
        [sys.executable, str(owner)], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": root}
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(_is_alive, pids))
        process.send_signal(signal.SIGKILL)
        process.wait()
    _until(lambda: not any(map(_is_alive, pids)))

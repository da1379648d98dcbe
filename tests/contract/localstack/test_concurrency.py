"""How many invokes of a function run at once, what becomes of one more, and which processes there are for it."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.localstack.conftest import Function, Queue, embedded, eventually, new_function
from tests.contract.localstack.processes import ancestor, is_alive

MAKE = Callable[..., Function]
HELD_MAX = 3
OURS = "how many environments this machine holds is ours, not AWS's"

# Says that it has begun, and ends when the gate, a queue, has a message.
HELD = """
import boto3, os
SQS = boto3.client("sqs")
def handler(event, context):
    if event.get("held"):
        SQS.send_message(QueueUrl=os.environ["BEGUN"], MessageBody="begun")
        gate = {"QueueUrl": os.environ["GATE"], "VisibilityTimeout": 0, "WaitTimeSeconds": 1}
        while not SQS.receive_message(**gate).get("Messages"):
            pass
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
"""


@pytest.fixture
def gate(make_queue: Callable[..., Queue]) -> Queue:
    return make_queue()


@pytest.fixture
def begun(make_queue: Callable[..., Queue]) -> Queue:
    return make_queue()


@pytest.fixture
def held(make_function: MAKE, begun: Queue, gate: Queue) -> Function:
    """The function above."""
    variables = {"BEGUN": begun.url, "GATE": gate.url}
    return make_function(HELD, Timeout=60, Environment={"Variables": variables})


@pytest.fixture
def pool(gate: Queue) -> Iterator[ThreadPoolExecutor]:
    """Threads for invokes that are held; they do not outlast a test that fails."""
    with ThreadPoolExecutor(HELD_MAX) as threads:
        yield threads
        gate.send("open")


@pytest.mark.documented("Understanding the Lambda execution environment lifecycle")
def test_concurrent_invokes_have_environments_of_their_own(
    held: Function, begun: Queue, gate: Queue, pool: ThreadPoolExecutor
) -> None:
    invokes = [pool.submit(held.invoke, held=True) for _ in range(HELD_MAX)]
    eventually(lambda: sum(begun.counts()) == HELD_MAX)
    gate.send("open")
    assert [invoke.result().error for invoke in invokes] == [None] * HELD_MAX


@pytest.mark.documented("Configuring reserved concurrency for a function")
def test_an_invoke_beyond_the_reserved_concurrency_is_throttled(
    held: Function, begun: Queue, gate: Queue, pool: ThreadPoolExecutor
) -> None:
    held.aws.functions.put_function_concurrency(FunctionName=held.name, ReservedConcurrentExecutions=1)
    first = pool.submit(held.invoke, held=True)
    eventually(begun.receive)
    with pytest.raises(held.aws.functions.exceptions.TooManyRequestsException) as refusal:
        held.invoke()
    assert refusal.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    gate.send("open")
    assert first.result().error is None
    assert held.invoke().error is None


@pytest.mark.documented("Configuring provisioned concurrency for a function")
def test_invokes_beyond_the_provisioned_concurrency_run_on_demand(
    held: Function, begun: Queue, gate: Queue, pool: ThreadPoolExecutor
) -> None:
    functions = held.aws.functions
    version = functions.publish_version(FunctionName=held.name)["Version"]
    held.wait("State", "Active", version)
    where = {"FunctionName": held.name, "Qualifier": version}
    functions.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=1, **where)
    eventually(lambda: functions.get_provisioned_concurrency_config(**where)["Status"] == "READY")
    first = pool.submit(held.invoke, version, held=True)
    eventually(begun.receive)
    assert held.invoke(version).payload == "on-demand"
    gate.send("open")
    assert first.result().payload == "provisioned-concurrency"


@pytest.mark.documented("Types of metrics for Lambda functions")
def test_throttled_invokes_are_counted_apart(function: Function) -> None:
    functions, name = function.aws.functions, function.name
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for _ in range(2):
        with pytest.raises(functions.exceptions.TooManyRequestsException):
            function.invoke(do="echo")
    functions.delete_function_concurrency(FunctionName=name)
    function.invoke(do="echo")
    function.invoke(do="raise")

    def total(metric: str) -> float:
        now = datetime.now(UTC)
        values = function.aws.metrics.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Dimensions=[{"Name": "FunctionName", "Value": name}],
            Period=3600, Statistics=["Sum"], StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
        )["Datapoints"]  # fmt: skip
        return float(sum(value["Sum"] for value in values))

    eventually(lambda: [total(metric) for metric in ("Throttles", "Invocations", "Errors")] == [2, 2, 1], 120)


@pytest.mark.embedded_only
@pytest.mark.documented(OURS)
def test_at_the_machines_limit_idle_environments_end_and_then_invokes_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRT_MAX_ENVIRONMENTS", "1")
    with embedded() as aws, ThreadPoolExecutor(2) as pool:
        one, other = new_function(aws), new_function(aws)
        idle: int = one.invoke(do="context").payload["pid"]
        assert is_alive(idle)
        assert other.invoke(do="echo").error is None
        assert not is_alive(idle)
        sleeps = [pool.submit(function.invoke, do="sleep", seconds=1) for function in (one, other)]
        assert [sleep.result().payload for sleep in sleeps] == ["awake", "awake"]
        assert aws.directory is not None
        lines = [json.loads(line) for line in (aws.directory / "trace.jsonl").read_text().splitlines()]
        first, second = sorted(lines[-2:], key=lambda line: float(line["start_s"]))
        assert second["host_wait_ms"] > 0
        assert first["start_s"] + 1 <= second["end_s"] - 1
        log = (aws.directory / "logs" / "emulator.log").read_text()
        assert "all 1 execution environments this machine may hold are busy" in log


@pytest.mark.embedded_only
@pytest.mark.documented(OURS)
def test_invokes_that_wait_for_the_machine_share_what_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a start for each, one after the other."""
    monkeypatch.setenv("NRT_MAX_STARTS", "1")
    slow = "import os, time\ntime.sleep(1)\ndef handler(event, context):\n    return os.getpid()"
    with embedded() as aws, ThreadPoolExecutor(10) as pool:
        function = new_function(aws, slow)
        answers = list(pool.map(lambda _: function.invoke(), range(10)))
        assert [answer.error for answer in answers] == [None] * 10
        assert len({answer.payload for answer in answers}) < 5
        assert aws.directory is not None
        lines = [json.loads(line) for line in (aws.directory / "trace.jsonl").read_text().splitlines()]
        assert sum(not line["cold"] and line["host_wait_ms"] > 0 for line in lines) > 5


@pytest.mark.embedded_only
@pytest.mark.documented("Handling errors for an SQS event source in Lambda: throttled batches")
def test_a_batch_that_waits_for_the_machine_too_long_is_not_invoked_beside_its_next_receive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How many environments there are is the machine's limit, not AWS's; waiting for it is taken for throttling."""
    monkeypatch.setenv("NRT_MAX_ENVIRONMENTS", "1")
    with embedded() as aws, ThreadPoolExecutor(1) as pool:
        assert aws.directory is not None
        log, trace = aws.directory / "logs" / "emulator.log", aws.directory / "trace.jsonl"
        begun, gate = (aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("begun", "gate"))
        held = new_function(aws, HELD, Timeout=60, Environment={"Variables": {"BEGUN": begun, "GATE": gate}})
        invoked = new_function(aws, Timeout=1)
        queue = aws.sqs.create_queue(QueueName="waits", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
        source = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
        first = pool.submit(held.invoke, held=True)
        try:
            eventually(lambda: aws.sqs.receive_message(QueueUrl=begun).get("Messages"))
            aws.functions.create_event_source_mapping(
                EventSourceArn=source["Attributes"]["QueueArn"], FunctionName=invoked.name
            )
            sent = aws.sqs.send_message(QueueUrl=queue, MessageBody="{}")["MessageId"]
            eventually(lambda: "a throttled batch of 1 is dropped" in log.read_text())
        finally:
            aws.sqs.send_message(QueueUrl=gate, MessageBody="open")
        assert first.result().error is None
        eventually(lambda: not sum(Queue(aws, queue, "").counts()))
        messages = [line["messages"] for line in map(json.loads, trace.read_text().splitlines())]
        [received] = [message for batch in messages for message in batch if message["message_id"] == sent]
        assert received["receive_count"] > 1


@pytest.mark.embedded_only
@pytest.mark.documented(OURS)
def test_no_environment_outlives_an_emulator_that_is_killed() -> None:
    with embedded() as aws:
        environment: int = new_function(aws).invoke(do="context").payload["pid"]
        os.kill(ancestor(environment, "localstack.runtime.main"), signal.SIGKILL)
        eventually(lambda: not is_alive(environment))


@pytest.mark.embedded_only
@pytest.mark.documented("Understanding Lambda function scaling: all functions of an account share its concurrency")
def test_an_invoke_beyond_the_accounts_concurrency_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an account of 1, not of 1,000."""
    monkeypatch.setenv("LAMBDA_LIMITS_CONCURRENT_EXECUTIONS", "1")
    monkeypatch.setenv("LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY", "0")
    with embedded() as aws, ThreadPoolExecutor(1) as pool:
        begun, gate = (aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("begun", "gate"))
        held = new_function(aws, HELD, Timeout=60, Environment={"Variables": {"BEGUN": begun, "GATE": gate}})
        other = new_function(aws)
        first = pool.submit(held.invoke, held=True)
        try:
            eventually(lambda: aws.sqs.receive_message(QueueUrl=begun).get("Messages"))
            with pytest.raises(aws.functions.exceptions.TooManyRequestsException) as refusal:
                other.invoke(do="echo")
        finally:
            aws.sqs.send_message(QueueUrl=gate, MessageBody="open")
        assert refusal.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"
        assert first.result().error is None
        assert other.invoke(do="echo").error is None


@pytest.mark.embedded_only
@pytest.mark.documented("Lambda scaling behavior: concurrency scaling rate")
def test_a_function_that_scales_faster_than_it_may_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 2 environments every 10 seconds, not 1,000."""
    monkeypatch.setenv("NRT_CONCURRENCY_SCALING_RATE", "2")
    with embedded() as aws, ThreadPoolExecutor(HELD_MAX) as pool:
        begun, gate = (aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("begun", "gate"))
        held = new_function(aws, HELD, Timeout=60, Environment={"Variables": {"BEGUN": begun, "GATE": gate}})
        other = new_function(aws)
        invokes = [pool.submit(held.invoke, held=True) for _ in range(2)]
        try:
            eventually(lambda: sum(Queue(aws, begun, "").counts()) == 2)
            with pytest.raises(aws.functions.exceptions.TooManyRequestsException):
                held.invoke()
            assert other.invoke(do="echo").error is None

            def goes_on() -> bool:
                with contextlib.suppress(aws.functions.exceptions.TooManyRequestsException):
                    return held.invoke().error is None
                return False

            eventually(goes_on)
        finally:
            aws.sqs.send_message(QueueUrl=gate, MessageBody="open")
        assert [invoke.result().error for invoke in invokes] == [None, None]


@pytest.mark.embedded_only
@pytest.mark.documented("Understanding the Lambda execution environment lifecycle: environments that wait in vain end")
def test_an_environment_that_nothing_is_asked_of_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second here; AWS does not say after how long."""
    monkeypatch.setenv("LAMBDA_KEEPALIVE_MS", "1000")
    with embedded() as aws:
        function = new_function(aws)
        first: int = function.invoke(do="context").payload["pid"]
        assert is_alive(first)
        eventually(lambda: not is_alive(first))
        assert function.invoke(do="context").payload["pid"] != first

"""How many batches of an SQS event source run at once."""

import itertools
import json
import os
import time
from typing import Any

import pytest

from tests.contract.localstack.conftest import REGION, Aws, Function, Queue, embedded, eventually, new_function
from tests.contract.localstack.event_source.conftest import ERRORS, SCALING, TELL, Make, Told

PROVISIONED = "Using provisioned mode with an Amazon SQS event source mapping"
FIFO = "Using Lambda with Amazon SQS: FIFO queues"
MANY_NEED_GB = 12
"""An estimate: 338 took 2.5 GB."""
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(800)\n"
UNTIL_TAKEN_S = 3
"""A mapping with room for another batch takes it within milliseconds. A slower machine only makes tests lenient."""


def _running(call: dict[str, Any], calls: list[dict[str, Any]]) -> int:
    """How many calls ran when this one began, itself included."""
    return sum(other["began"] <= call["began"] < other["ended"] for other in calls)


@pytest.mark.documented(SCALING)
def test_five_batches_run_at_first(make_queue: Make, make_mapping: Make, teller: Function, told: Told) -> None:
    queue = make_queue()
    queue.send(*['{"sleep": 1}'] * 5)
    make_mapping(queue, teller)
    calls = told.wait_for(5)
    assert max(call["began"] for call in calls) < min(call["ended"] for call in calls)


@pytest.mark.documented(SCALING)
def test_maximum_concurrency_is_kept(make_queue: Make, make_mapping: Make, teller: Function, told: Told) -> None:
    queue = make_queue()
    queue.send(*['{"sleep": 0.5}'] * 6)
    make_mapping(queue, teller, ScalingConfig={"MaximumConcurrency": 2})
    calls = told.wait_for(6)
    assert max(map(_running, calls, itertools.repeat(calls))) <= 2


@pytest.mark.documented(PROVISIONED)
def test_provisioned_pollers_run_ten_batches_each_from_the_start(
    aws: Aws, make_queue: Make, make_mapping: Make, make_function: Make, told: Told
) -> None:
    function = make_function(TELL, MemorySize=128, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue()
    queue.send(*['{"sleep": 6}'] * 20)
    pollers = {"MinimumPollers": 2, "MaximumPollers": 2}
    mapping = make_mapping(queue, function, ProvisionedPollerConfig=pollers)
    assert aws.functions.get_event_source_mapping(UUID=mapping)["ProvisionedPollerConfig"] == pollers
    eventually(lambda: queue.counts() == (0, 20))
    calls = told.wait_for(20, 60)
    # without them five batches would run at first, and one more every 0.2 s
    assert max(call["began"] for call in calls) < min(call["ended"] for call in calls)


@pytest.mark.documented(PROVISIONED)
def test_provisioned_pollers_and_maximum_concurrency_exclude_each_other(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function
) -> None:
    queue = make_queue()
    pollers = {"MinimumPollers": 2, "MaximumPollers": 3}
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException):
        make_mapping(queue, teller, ProvisionedPollerConfig=pollers, ScalingConfig={"MaximumConcurrency": 2})
    mapping = make_mapping(queue, teller, ProvisionedPollerConfig={"MinimumPollers": 2, "MaximumPollers": 10_000})
    made = aws.functions.get_event_source_mapping(UUID=mapping)
    assert made["ProvisionedPollerConfig"]["MaximumPollers"] == 10_000
    aws.functions.delete_event_source_mapping(UUID=mapping)
    bounds = {"MaximumPollers": 10_001}, {"MinimumPollers": 1}, {"MinimumPollers": 201}
    for wrong in (*bounds, {"MinimumPollers": 5, "MaximumPollers": 4}):
        with pytest.raises(aws.functions.exceptions.InvalidParameterValueException):
            make_mapping(queue, teller, ProvisionedPollerConfig=wrong)


@pytest.mark.documented(FIFO)
def test_fifo_keeps_the_order_of_a_group_and_runs_groups_side_by_side(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue(fifo=True)
    for number in range(3):
        for group in ("a", "b"):
            queue.send(json.dumps({"sleep": 0.5, "group": group, "number": number}), MessageGroupId=group)
    make_mapping(queue, teller)
    told.wait_for(6)
    calls = [(json.loads(call["bodies"][0]), call) for call in told.calls]
    for group in ("a", "b"):
        of_group = sorted(
            (call["began"], call["ended"], order["number"]) for order, call in calls if order["group"] == group
        )
        assert [number for _, _, number in of_group] == [0, 1, 2]
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(of_group))
    starts = sorted(call["began"] for _, call in calls)
    assert starts[1] - starts[0] < 0.5


@pytest.mark.documented(SCALING)
def test_batches_grow_by_300_a_minute(make_queue: Make, make_mapping: Make, make_function: Make, told: Told) -> None:
    function = make_function(TELL, MemorySize=128, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue()
    queue.send(*['{"sleep": 4}'] * 25)
    make_mapping(queue, function)
    calls = told.wait_for(25, 60)
    assert max(map(_running, calls, itertools.repeat(calls))) > 5
    taken_ms = sorted(
        int(call["event"]["Records"][0]["attributes"]["ApproximateFirstReceiveTimestamp"]) for call in calls
    )
    passed_s = [(at - taken_ms[0]) / 1000 for at in taken_ms]
    assert all(number <= 5 + 1 + 5 * s for number, s in enumerate(passed_s, 1))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.embedded_only
@pytest.mark.documented(SCALING)
def test_at_most_1250_batches_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an account of 2,000, not of 1,000; a process for each, so that a machine has to be told to hold them."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    if memory_gb < MANY_NEED_GB:
        pytest.skip(f"1,250 environments want a machine of {MANY_NEED_GB} GB, this one has {memory_gb:.0f}")
    for name in ("NRT_MAX_ENVIRONMENTS", "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS"):
        monkeypatch.setenv(name, "2000")
    with embedded() as aws:
        function = new_function(aws, SLEEP, Timeout=900, MemorySize=128)
        url = aws.sqs.create_queue(QueueName="many", Attributes={"VisibilityTimeout": "900"})["QueueUrl"]
        queue = Queue(aws, url, f"arn:aws:sqs:{REGION}:000000000000:many")
        queue.send(*["{}"] * 1_300)
        settings = {"EventSourceArn": queue.arn, "FunctionName": function.name, "BatchSize": 1}
        aws.functions.create_event_source_mapping(**settings)
        began, in_flight = time.monotonic(), 0
        while in_flight < 1_250:
            in_flight = queue.counts()[1]
            passed_s = time.monotonic() - began
            assert in_flight <= 5 + 1 + 5 * passed_s
            assert passed_s < 600
            time.sleep(1)
        time.sleep(UNTIL_TAKEN_S)
        assert queue.counts() == (50, 1_250)


@pytest.mark.documented(ERRORS)
@pytest.mark.parametrize(
    ("order", "types", "runs_fewer"),
    [
        ({"fail": True}, [], True),
        ({"fail": True}, ["ReportBatchItemFailures"], False),
        ({"failures": [""]}, ["ReportBatchItemFailures"], False),
    ],
    ids=["an error", "an error with partial batch responses", "a partial batch response"],
)
def test_failures_lower_the_concurrency(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told,
    order: dict[str, Any], types: list[str], runs_fewer: bool,
) -> None:  # fmt: skip
    function = make_function(TELL, Timeout=60, Environment={"Variables": {"TOLD": told.queue.url}})
    queue, gate = make_queue(VisibilityTimeout="180"), make_queue()
    queue.send(*[json.dumps(order)] * 10)
    make_mapping(queue, function, FunctionResponseTypes=types, ScalingConfig={"MaximumConcurrency": 5})
    told.wait_for(10, 90)
    # none of these five can end, and no message comes back: what is visible has not been taken
    queue.send(*[json.dumps({"gate": gate.url})] * 5)
    if runs_fewer:
        eventually(lambda: queue.counts()[0] < 5)
        time.sleep(UNTIL_TAKEN_S)
        assert queue.counts()[0] > 0
    else:
        eventually(lambda: queue.counts()[0] == 0)
    gate.send("open")
    told.wait_for(15, 90)
    if runs_fewer:
        # errors are over, so all five may run at once again
        next_gate = make_queue()
        queue.send(*[json.dumps({"gate": next_gate.url})] * 5)
        eventually(lambda: queue.counts()[0] == 0)
        next_gate.send("open")
        told.wait_for(20, 90)


@pytest.mark.documented(ERRORS)
def test_throttles_hold_the_concurrency_down(make_queue: Make, make_mapping: Make, teller: Function) -> None:
    teller.aws.functions.put_function_concurrency(FunctionName=teller.name, ReservedConcurrentExecutions=0)
    queue = make_queue(VisibilityTimeout="180")
    queue.send(*["wait"] * 20)
    make_mapping(queue, teller)
    eventually(lambda: queue.counts()[0] < 20)
    # without a back-off five more would be taken every second
    time.sleep(UNTIL_TAKEN_S)
    assert queue.counts()[0] >= 15

"""How many batches of an SQS event source run at once."""

import itertools
import json
import statistics
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws, Function, eventually
from tests.contract.localstack.event_source.conftest import SCALING, TELL, Make, Told

PROVISIONED = "Using provisioned mode with an Amazon SQS event source mapping"
FIFO = "Using Lambda with Amazon SQS: FIFO queues"


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
@pytest.mark.documented(SCALING)
def test_failed_batches_lower_the_concurrency_and_partial_failures_do_not(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told
) -> None:
    def mean_running(order: dict[str, Any], **settings: Any) -> float:
        function = make_function(TELL, MemorySize=128, Environment={"Variables": {"TOLD": told.queue.url}})
        queue = make_queue(VisibilityTimeout="120")
        queue.send(*[json.dumps({"sleep": 0.2} | order)] * 40)
        before = len(told.read())
        mapping = make_mapping(queue, function, ScalingConfig={"MaximumConcurrency": 5}, **settings)
        calls = sorted(told.wait_for(before + 40, 90)[before:], key=lambda call: float(call["began"]))
        function.aws.functions.delete_event_source_mapping(UUID=mapping)
        return statistics.mean(_running(call, calls) for call in calls[20:])

    partial = mean_running({"failures": [""]}, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert mean_running({"fail": True}) < 0.85 * partial

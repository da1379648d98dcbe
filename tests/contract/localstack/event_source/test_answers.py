"""What becomes of a batch of an SQS event source, by what the function answers or that it cannot run."""

import json
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws, Function, eventually
from tests.contract.localstack.event_source.conftest import ERRORS, TELL, Make, Told, emptied


@pytest.mark.documented(ERRORS)
def test_a_failed_batch_comes_back_after_its_visibility(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told
) -> None:
    function = make_function(TELL, Timeout=2, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue(max_receive_count=2, VisibilityTimeout="2")
    make_mapping(queue, function)
    [message_id] = queue.send('{"fail": true}')
    first, second = told.wait_for(2)
    sent_s = int(first["event"]["Records"][0]["attributes"]["SentTimestamp"]) / 1000
    assert second["began"] - sent_s >= 2
    assert second["event"]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    [dead] = eventually(queue.dead_letters.receive)
    assert dead["MessageId"] == message_id
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn
    first_sent = first["event"]["Records"][0]["attributes"]["SentTimestamp"]
    assert dead["Attributes"]["SentTimestamp"] == first_sent


@pytest.mark.documented(ERRORS)
@pytest.mark.parametrize(
    ("order", "failed"),
    [
        ({"failures": ["b"]}, {"b"}),
        ({"failures": []}, set()),
        ({"answer": {}}, set()),
        ({"answer": {"batchItemFailures": None}}, set()),
        ({"answer": None}, set()),
        ({"failures": [""]}, {"a", "b"}),
        ({"failures": ["not an id of this batch"]}, {"a", "b"}),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": None}]}}, {"a", "b"}),
        ({"answer": {"batchItemFailures": [{"itemId": "x"}]}}, {"a", "b"}),
    ],
    ids=["one", "empty list", "empty object", "null list", "null", "empty id", "unknown id", "null id", "bad key"],
)
def test_partial_batch_answer(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told, order: dict[str, Any], failed: set[str]
) -> None:
    function = make_function(TELL, Timeout=4, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue(VisibilityTimeout="4")
    asked = json.dumps(order)
    queue.send("a", "b", asked)
    make_mapping(
        queue,
        function,
        BatchSize=3,
        MaximumBatchingWindowInSeconds=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    assert sorted(told.wait_for(1)[0]["bodies"]) == sorted(["a", "b", asked])
    if failed:
        expected = failed if len(failed) == 1 else failed | {asked}
        assert set(told.wait_for(2)[1]["bodies"]) == expected
    else:
        emptied(queue)
        assert len(told.read()) == 1


@pytest.mark.documented(ERRORS)
def test_without_report_batch_item_failures_the_answer_is_ignored(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    make_mapping(queue, teller)
    queue.send('{"failures": [""]}')
    told.wait_for(1)
    emptied(queue)


@pytest.mark.documented(ERRORS)
def test_throttled_batches_are_tried_again(make_queue: Make, make_mapping: Make, teller: Function, told: Told) -> None:
    functions = teller.aws.functions
    functions.put_function_concurrency(FunctionName=teller.name, ReservedConcurrentExecutions=0)
    queue = make_queue()
    make_mapping(queue, teller)
    queue.send("patience")
    eventually(lambda: queue.counts() == (0, 1))
    functions.delete_function_concurrency(FunctionName=teller.name)
    [record] = told.wait_for(1)[0]["event"]["Records"]
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


@pytest.mark.documented(ERRORS)
def test_a_throttled_batch_goes_back_when_its_visibility_is_over(
    make_queue: Make, make_mapping: Make, make_function: Make
) -> None:
    function = make_function(Timeout=2)
    function.aws.functions.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    queue = make_queue(max_receive_count=1, VisibilityTimeout="2")
    make_mapping(queue, function)
    [message_id] = queue.send("never run")
    [dead] = eventually(queue.dead_letters.receive)
    assert dead["MessageId"] == message_id
    assert function.logged() == []


@pytest.mark.documented(ERRORS)
def test_a_message_whose_function_outlives_its_visibility_is_seen_again(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue(VisibilityTimeout="10")
    make_mapping(queue, teller)
    aws.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "2"})
    queue.send('{"sleep": 5}')
    counts = {call["event"]["Records"][0]["attributes"]["ApproximateReceiveCount"] for call in told.wait_for(2)}
    assert counts == {"1", "2"}

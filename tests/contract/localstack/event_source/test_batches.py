"""What a batch of an SQS event source holds: shape, window, sizes, filters."""

import time

import pytest

from tests.contract.localstack.conftest import Aws, Function, eventually
from tests.contract.localstack.event_source.conftest import TELL, Make, Told, emptied

EVENT_SOURCE = "Using Lambda with Amazon SQS"
BATCHING = "How Lambda processes records from stream and queue-based event sources: batching behavior"
FILTERING = "Using event filtering with an Amazon SQS event source"
RECORDED = "answer recorded on AWS 2025-11-25 (LocalStack test_lambda_integration_sqs.snapshot.json)"


@pytest.mark.documented(EVENT_SOURCE)
def test_the_event_has_the_documented_shape(make_queue: Make, make_mapping: Make, teller: Function, told: Told) -> None:
    queue = make_queue()
    make_mapping(queue, teller)
    attribute = {"colour": {"DataType": "String", "StringValue": "blue"}}
    [message_id] = queue.send("hello", MessageAttributes=attribute)
    [record] = told.wait_for(1)[0]["event"]["Records"]
    assert record["messageId"] == message_id
    assert record["body"] == "hello"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == queue.arn
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["colour"]["stringValue"] == "blue"
    assert {"receiptHandle", "md5OfBody"} <= set(record)
    emptied(queue)


@pytest.mark.documented(RECORDED)
def test_a_message_attribute_has_empty_lists(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    make_mapping(queue, teller)
    queue.send("hello", MessageAttributes={"weeks": {"DataType": "Number", "StringValue": "6"}})
    [record] = told.wait_for(1)[0]["event"]["Records"]
    no_lists = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {"weeks": {"stringValue": "6", "dataType": "Number"} | no_lists}
    assert record["md5OfMessageAttributes"]


@pytest.mark.documented(RECORDED)
@pytest.mark.parametrize("window_s", [0, 1], ids=["no window", "a window"])
def test_without_attributes_their_digest_is_null_within_a_window(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told, window_s: int
) -> None:
    queue = make_queue()
    make_mapping(queue, teller, MaximumBatchingWindowInSeconds=window_s)
    queue.send("hello")
    [record] = told.wait_for(1)[0]["event"]["Records"]
    assert record.get("md5OfMessageAttributes", "absent") == (None if window_s else "absent")


@pytest.mark.documented(BATCHING)
def test_a_batch_is_filled_within_its_window(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    make_mapping(queue, teller, BatchSize=3, MaximumBatchingWindowInSeconds=5)
    queue.send("a", "b", "c")
    assert sorted(told.wait_for(1)[0]["bodies"]) == ["a", "b", "c"]
    queue.send("d")
    began = time.time()
    assert told.wait_for(2)[1]["bodies"] == ["d"]
    assert told.calls[1]["began"] - began > 4


@pytest.mark.documented(BATCHING)
def test_batches_over_ten_need_a_window(
    aws: Aws, make_queue: Make, teller: Function, make_mapping: Make, told: Told
) -> None:
    queue = make_queue()
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException, match="batch window"):
        make_mapping(queue, teller, BatchSize=11)
    for start in range(0, 40, 10):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(start, start + 10)]
        aws.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    make_mapping(queue, teller, BatchSize=40, MaximumBatchingWindowInSeconds=3)
    assert len(told.wait_for(1)[0]["bodies"]) == 40


@pytest.mark.documented("Lambda quotas")
def test_a_batch_holds_at_most_6_mb(make_queue: Make, make_mapping: Make, make_function: Make, told: Told) -> None:
    source = TELL.replace('"bodies": bodies, "event": event', '"bodies": [str(len(body)) for body in bodies]')
    function = make_function(source, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue()
    queue.send(*["x" * 1_000_000] * 8)
    make_mapping(queue, function, BatchSize=10, MaximumBatchingWindowInSeconds=2)
    eventually(lambda: len(told.read()) >= 2 and len(told.bodies) == 8)
    assert max(len(call["bodies"]) for call in told.calls) == 6


@pytest.mark.documented(FILTERING)
def test_messages_that_do_not_match_are_deleted(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    make_mapping(queue, teller, FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["wanted"]}}'}]})
    queue.send('{"kind": "other"}', "no json", '{"kind": "wanted"}')
    assert told.wait_for(1)[0]["bodies"] == ['{"kind": "wanted"}']
    emptied(queue)
    assert len(told.read()) == 1


@pytest.mark.documented(FILTERING)
@pytest.mark.parametrize(
    ("pattern", "bodies", "kept"),
    [
        pytest.param('{"body": ["plain"]}', ["plain", "other", '{"n": "plain"}'], ["plain"], id="a plain string"),
        pytest.param('{"body": {"n": [1]}}', ["plain", '{"n": 1}'], ['{"n": 1}'], id="JSON"),
        pytest.param(
            '{"messageAttributes": {"colour": {"stringValue": ["blue"]}}}',
            ["plain", '{"n": 1}'], ["plain", '{"n": 1}'], id="only an attribute",
        ),
    ],
)  # fmt: skip
def test_a_body_and_its_pattern_have_to_be_of_one_kind(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told, pattern: str, bodies: list[str], kept: list[str]
) -> None:
    queue = make_queue()
    make_mapping(queue, teller, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    queue.send(*bodies, MessageAttributes={"colour": {"DataType": "String", "StringValue": "blue"}})
    told.wait_for(len(kept))
    emptied(queue)
    assert sorted(told.bodies) == sorted(kept)


@pytest.mark.documented("CreateEventSourceMapping")
def test_a_batch_is_of_10_000_at_most(aws: Aws, make_queue: Make, make_mapping: Make, teller: Function) -> None:
    queue = make_queue()
    window = {"MaximumBatchingWindowInSeconds": 1}
    with pytest.raises(aws.functions.exceptions.ClientError):
        make_mapping(queue, teller, BatchSize=10_001, **window)
    mapping = make_mapping(queue, teller, BatchSize=10_000, **window)
    assert aws.functions.get_event_source_mapping(UUID=mapping)["BatchSize"] == 10_000


@pytest.mark.slow
@pytest.mark.documented(BATCHING)
def test_thousands_of_small_messages_are_one_batch(
    make_queue: Make, make_mapping: Make, make_function: Make, told: Told
) -> None:
    source = TELL.replace('"bodies": bodies, "event": event', '"bodies": [str(len(bodies))]')
    function = make_function(source, MemorySize=512, Environment={"Variables": {"TOLD": told.queue.url}})
    queue = make_queue(VisibilityTimeout="120")
    for start in range(0, 5_000, 10):
        entries = [{"Id": str(number), "MessageBody": "x"} for number in range(start, start + 10)]
        queue.aws.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    make_mapping(queue, function, BatchSize=10_000, MaximumBatchingWindowInSeconds=20)
    eventually(lambda: told.read() and sum(map(int, told.bodies)) == 5_000, 90)
    assert max(map(int, told.bodies)) > 1_000

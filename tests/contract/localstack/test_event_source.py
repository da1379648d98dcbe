"""An SQS queue as a function's event source: batches, answers, failures, scaling, and the mapping's life."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.localstack.conftest import Aws, Function, Queue, eventually

Make = Callable[..., Any]
EVENT_SOURCE = "Using Lambda with Amazon SQS"
ERRORS = "Handling errors for an SQS event source in Lambda"
SCALING = "Configuring scaling behavior for SQS event source mappings"
PROVISIONED = "Using provisioned mode with an Amazon SQS event source mapping"
BATCHING = "How Lambda processes records from stream and queue-based event sources: batching behavior"
FILTERING = "Using event filtering with an Amazon SQS event source"
FIFO = "Using Lambda with Amazon SQS: FIFO queues"

# A function that tells another queue what it was given, then answers as the first record's body says.
TELL = """
import json, os, time, boto3
SQS = boto3.client("sqs")
def handler(event, context):
    began = time.time()
    bodies = [record["body"] for record in event["Records"]]
    order = next((json.loads(body) for body in bodies if body.startswith("{")), {})
    time.sleep(order.get("sleep", 0))
    told = {"bodies": bodies, "event": event, "began": began, "ended": time.time()}
    SQS.send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(told))
    if order.get("fail"):
        raise Exception("as asked")
    if "failures" in order:
        ids = {record["body"]: record["messageId"] for record in event["Records"]}
        return {"batchItemFailures": [{"itemIdentifier": ids.get(body, body)} for body in order["failures"]]}
    return order.get("answer")
"""


class Told:
    """What the function has told so far."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.calls: list[dict[str, Any]] = []

    def read(self) -> list[dict[str, Any]]:
        while messages := self.queue.receive():
            self.calls += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self.queue.aws.sqs.delete_message(QueueUrl=self.queue.url, ReceiptHandle=message["ReceiptHandle"])
        return self.calls

    def wait_for(self, calls: int, timeout_s: float = 30) -> list[dict[str, Any]]:
        eventually(lambda: len(self.read()) >= calls, timeout_s)
        return self.calls

    @property
    def bodies(self) -> list[str]:
        return [body for call in self.calls for body in call["bodies"]]


@pytest.fixture
def told(make_queue: Make) -> Told:
    return Told(make_queue())


@pytest.fixture
def teller(make_function: Make, told: Told) -> Function:
    """The function above, initialised."""
    function: Function = make_function(TELL, Environment={"Variables": {"TOLD": told.queue.url}})
    return function


def _emptied(queue: Queue) -> None:
    eventually(lambda: queue.counts() == (0, 0))


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
    _emptied(queue)


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
        _emptied(queue)
        assert len(told.read()) == 1


@pytest.mark.documented(ERRORS)
def test_without_report_batch_item_failures_the_answer_is_ignored(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    make_mapping(queue, teller)
    queue.send('{"failures": [""]}')
    told.wait_for(1)
    _emptied(queue)


@pytest.mark.documented(FILTERING)
def test_messages_that_do_not_match_are_deleted(
    make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    make_mapping(queue, teller, FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["wanted"]}}'}]})
    queue.send('{"kind": "other"}', "no json", '{"kind": "wanted"}')
    assert told.wait_for(1)[0]["bodies"] == ['{"kind": "wanted"}']
    _emptied(queue)
    assert len(told.read()) == 1


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
    for call in calls:
        running = [other for other in calls if other["began"] <= call["began"] < other["ended"]]
        assert len(running) <= 2


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
    for wrong in ({"MinimumPollers": 1}, {"MinimumPollers": 201}, {"MinimumPollers": 5, "MaximumPollers": 4}):
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


@pytest.mark.documented("CreateEventSourceMapping")
def test_a_visibility_shorter_than_the_functions_timeout_is_refused(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function
) -> None:
    queue = make_queue(VisibilityTimeout="5")
    expected = "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"
    with pytest.raises(aws.functions.exceptions.InvalidParameterValueException, match=expected):
        make_mapping(queue, teller)


@pytest.mark.documented("UpdateEventSourceMapping")
def test_a_disabled_mapping_takes_nothing_and_goes_on_when_enabled(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    mapping = make_mapping(queue, teller)
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    eventually(lambda: aws.functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled")
    queue.send("kept")
    assert queue.counts() == (1, 0)
    aws.functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    assert told.wait_for(1)[0]["bodies"] == ["kept"]
    assert aws.functions.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"


@pytest.mark.documented("DeleteEventSourceMapping")
def test_deleting_lets_the_batch_in_flight_finish(
    aws: Aws, make_queue: Make, make_mapping: Make, teller: Function, told: Told
) -> None:
    queue = make_queue()
    mapping = make_mapping(queue, teller)
    queue.send('{"sleep": 2}')
    eventually(lambda: queue.counts() == (0, 1))
    assert aws.functions.delete_event_source_mapping(UUID=mapping)["State"] == "Deleting"
    told.wait_for(1)
    _emptied(queue)


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


@pytest.mark.documented("Configure a dead-letter queue redrive using the Amazon SQS console; StartMessageMoveTask")
def test_dead_letters_go_back_as_new_messages(aws: Aws, make_queue: Make) -> None:
    queue = make_queue(max_receive_count=1, VisibilityTimeout="1")
    [message_id] = queue.send("poison")
    eventually(queue.receive)
    eventually(lambda: not queue.receive() and queue.dead_letters.counts() == (1, 0))
    aws.sqs.start_message_move_task(SourceArn=queue.dead_letters.arn, MaxNumberOfMessagesPerSecond=5)
    [back] = eventually(queue.receive)
    assert back["Body"] == "poison"
    assert back["MessageId"] != message_id
    assert back["Attributes"]["ApproximateReceiveCount"] == "1"
    [task] = aws.sqs.list_message_move_tasks(SourceArn=queue.dead_letters.arn)["Results"]
    assert task["ApproximateNumberOfMessagesMoved"] == 1


@pytest.mark.documented("StartMessageMoveTask")
def test_dead_letters_go_back_no_faster_than_asked_for_and_one_task_at_a_time(aws: Aws, make_queue: Make) -> None:
    queue = make_queue(max_receive_count=1, VisibilityTimeout="1")
    queue.send("1", "2", "3")
    received: list[dict[str, Any]] = []
    eventually(lambda: received.extend(queue.receive()) or len(received) == 3)
    eventually(lambda: not queue.receive() and queue.dead_letters.counts() == (3, 0))
    began = time.time()
    task = {"SourceArn": queue.dead_letters.arn, "MaxNumberOfMessagesPerSecond": 1}
    aws.sqs.start_message_move_task(**task)
    with pytest.raises(aws.sqs.exceptions.ClientError, match="already a task running"):
        aws.sqs.start_message_move_task(**task)
    eventually(lambda: queue.counts() == (3, 0))
    assert time.time() - began >= 2
    tasks = aws.sqs.list_message_move_tasks(SourceArn=queue.dead_letters.arn)["Results"]
    assert tasks[0]["MaxNumberOfMessagesPerSecond"] == 1


@pytest.mark.documented("Available CloudWatch metrics for Amazon SQS")
@pytest.mark.slow
def test_the_queue_metrics_include_the_age_of_the_oldest_message(aws: Aws, make_queue: Make) -> None:
    queue = make_queue()
    queue.send("waiting")
    dimension = {"Name": "QueueName", "Value": queue.arn.rpartition(":")[2]}

    def seen() -> set[str]:
        found = aws.metrics.list_metrics(Namespace="AWS/SQS", Dimensions=[dimension])["Metrics"]
        return {metric["MetricName"] for metric in found}

    wanted = {"NumberOfMessagesSent", "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
    eventually(lambda: seen() >= wanted, 150)

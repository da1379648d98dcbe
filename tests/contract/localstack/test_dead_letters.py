"""What people do with dead letters, on real queues: look, choose, send back slowly; and how old a letter is."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness import dlq
from tests.contract.localstack.conftest import Aws, Queue, eventually

Make = Callable[..., Queue]
KEYS = [f"orders/dt=2026-01-01/a b+{number}.csv.gz" for number in range(5)]


def _body(key: str) -> str:
    from urllib.parse import quote_plus

    return json.dumps({"Records": [{"s3": {"object": {"key": quote_plus(key, safe="/")}}}]})


@pytest.fixture
def queues(make_queue: Make) -> tuple[Queue, dlq.Queues]:
    """A queue, and five letters on its dead letter queue."""
    queue = make_queue(max_receive_count=1)
    assert queue.dead_letters is not None
    queue.dead_letters.send(*map(_body, KEYS))
    return queue, dlq.Queues("orders", queue.url, queue.dead_letters.url)


def _keys(found: list[dlq.Found]) -> list[str]:
    return sorted(key for one in found for key in one.letter.keys)


def test_looking_takes_nothing_away(aws: Aws, queues: tuple[Queue, dlq.Queues]) -> None:
    _, of = queues
    assert _keys(dlq.letters([of], aws)) == KEYS  # type: ignore[arg-type]
    found, body = dlq.find([of], aws, KEYS[3])  # type: ignore[arg-type]
    assert (found.letter.keys, body) == ((KEYS[3],), json.loads(_body(KEYS[3])))
    assert _keys(dlq.letters([of], aws)) == KEYS  # type: ignore[arg-type]


def test_a_dry_run_moves_nothing(aws: Aws, queues: tuple[Queue, dlq.Queues]) -> None:
    queue, of = queues
    assert _keys(dlq.chosen_letters([of], aws, (KEYS[1], KEYS[2]))) == KEYS[1:3]  # type: ignore[arg-type]
    assert queue.counts() == (0, 0)
    assert _keys(dlq.letters([of], aws)) == KEYS  # type: ignore[arg-type]


def test_only_what_was_chosen_goes_back_and_as_a_new_message(aws: Aws, queues: tuple[Queue, dlq.Queues]) -> None:
    queue, of = queues
    [moved] = list(dlq.redrive([of], aws, (KEYS[4],), None))  # type: ignore[arg-type]
    assert moved.letter.keys == (KEYS[4],)
    [back] = eventually(queue.receive)
    assert back["Body"] == _body(KEYS[4])
    assert back["Attributes"]["ApproximateReceiveCount"] == "1"
    assert _keys(dlq.letters([of], aws)) == KEYS[:4]  # type: ignore[arg-type]


def test_letters_go_back_no_faster_than_they_may(aws: Aws, queues: tuple[Queue, dlq.Queues]) -> None:
    queue, of = queues
    moved_s = [time.monotonic() for _ in dlq.redrive([of], aws, (), 4.0)]  # type: ignore[arg-type]
    assert len(moved_s) == len(KEYS)
    assert moved_s[-1] - moved_s[0] >= (len(KEYS) - 1) / 4.0
    assert eventually(lambda: queue.counts() == (len(KEYS), 0))


def test_a_letter_that_dies_again_meanwhile_stays(aws: Aws, queues: tuple[Queue, dlq.Queues]) -> None:
    queue, of = queues
    assert queue.dead_letters is not None
    moving = dlq.redrive([of], aws, (), None)  # type: ignore[arg-type]
    first = next(moving)
    queue.dead_letters.send(_body("orders/late.csv.gz"))
    assert _keys([first, *moving]) == KEYS
    assert _keys(dlq.letters([of], aws)) == ["orders/late.csv.gz"]  # type: ignore[arg-type]


@pytest.mark.documented("Using dead-letter queues in Amazon SQS: message retention periods")
def test_a_dead_letter_keeps_the_age_it_came_with(make_queue: Make) -> None:
    queue = make_queue(max_receive_count=1, VisibilityTimeout="1")
    queue.send("poison")
    [first] = eventually(queue.receive)
    assert queue.dead_letters is not None
    eventually(lambda: not queue.receive() and queue.dead_letters.counts() == (1, 0))
    [letter] = queue.dead_letters.receive()
    assert letter["Attributes"]["SentTimestamp"] == first["Attributes"]["SentTimestamp"]


@pytest.mark.slow
@pytest.mark.documented("Using dead-letter queues in Amazon SQS: message retention periods")
def test_a_dead_letter_expires_by_the_age_it_came_with(aws: Aws, make_queue: Make) -> None:
    queue = make_queue(max_receive_count=1, VisibilityTimeout="1", MessageRetentionPeriod="3600")
    dead = queue.dead_letters
    assert dead is not None
    aws.sqs.set_queue_attributes(QueueUrl=dead.url, Attributes={"MessageRetentionPeriod": "60"})
    queue.send("poison")
    [first] = eventually(queue.receive)
    sent_s = int(first["Attributes"]["SentTimestamp"]) / 1000
    time.sleep(max(0.0, sent_s + 30 - time.time()))  # half of its time is over before it is a dead letter
    eventually(lambda: not queue.receive() and dead.counts() == (1, 0))
    moved_s = time.time()
    eventually(lambda: dead.counts() == (0, 0), 90)
    assert sent_s + 60 <= time.time() < moved_s + 60


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

"""What people do with dead letter queues: look, and send messages back after the fix.

In: a pipeline and a stack. Out: the letters, and what was moved. A message is moved by copying it to its source queue
and then deleting it, at the rate that was asked for; a dry run moves nothing. (SQS' own StartMessageMoveTask cannot
choose among messages.)
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.aws import Aws
from harness.dead_letters import DeadLetter, peek, take_one
from harness.errors import HarnessError, UsageError
from harness.pipeline import Pipeline
from harness.provision import resource_name


@dataclass(frozen=True)
class Queues:
    """The two queues of a type."""

    type: str
    source_url: str
    dead_letter_url: str


@dataclass(frozen=True)
class Found:
    """A letter and the type whose dead letter queue it is on."""

    type: str
    letter: DeadLetter

    def to_json(self) -> dict[str, Any]:
        """As `harness dlq … --json` prints it."""
        letter = self.letter
        return {
            "type": self.type,
            "message_id": letter.message_id,
            "keys": list(letter.keys),
            "receive_count": letter.receive_count,
            "sent_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(letter.sent_ms / 1000)),
        }


def queues(pipeline: Pipeline, aws: Aws, only_type: str | None) -> list[Queues]:
    """The queues of every type, or of one.

    Raises:
        UsageError: the pipeline has no such type.
        HarnessError: the queues are not there.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if only_type is not None and only_type not in pipeline.types:
        raise UsageError(f"{only_type!r} is not a type of {pipeline.name}; there are {', '.join(pipeline.types)}")
    found = []
    try:
        for name in [only_type] if only_type else list(pipeline.types):
            base = resource_name(pipeline, name)
            source = aws.sqs.get_queue_url(QueueName=base)["QueueUrl"]
            found.append(Queues(name, source, aws.sqs.get_queue_url(QueueName=f"{base}-dlq")["QueueUrl"]))
    except (ClientError, BotoCoreError) as error:
        raise HarnessError(f"the queues of {pipeline.name} cannot be had: {error}") from error
    return found


def chosen_letters(of: list[Queues], aws: Aws, only: tuple[str, ...]) -> list[Found]:
    """What `redrive` would move."""
    return [one for one in letters(of, aws) if _is_chosen(one.letter, only)]


def letters(of: list[Queues], aws: Aws) -> list[Found]:
    """Every dead letter; all stay where they are."""
    return [Found(one.type, letter) for one in of for letter in peek(aws.sqs, one.dead_letter_url)]


def find(of: list[Queues], aws: Aws, wanted: str) -> tuple[Found, Any]:
    """The letter of this message id (or its beginning) or key, and its body.

    Raises:
        UsageError: there is none, or more than one.
    """
    matching = [one for one in letters(of, aws) if _is(one.letter, wanted)]
    if len(matching) != 1:
        raise UsageError(f"{wanted}: {len(matching)} dead letters match; give a whole message id or a key")
    try:
        return matching[0], json.loads(matching[0].letter.body)
    except json.JSONDecodeError:
        return matching[0], matching[0].letter.body


def _is(letter: DeadLetter, wanted: str) -> bool:
    return letter.message_id.startswith(wanted) or wanted in letter.keys


def redrive(of: list[Queues], aws: Aws, only: tuple[str, ...], per_s: float | None) -> Iterator[Found]:
    """Move letters back to their source queues, all or those of `only` (message ids or keys), at most `per_s` a second;
    yields each once it is moved.

    A message is deleted after its copy is on the source queue, so one may arrive twice, but none can get lost. Only
    what was there at the beginning is moved: a letter that dies again meanwhile stays.
    """
    pause_s = 1 / per_s if per_s else 0.0
    for one in of:
        chosen = {letter.message_id for letter in peek(aws.sqs, one.dead_letter_url) if _is_chosen(letter, only)}
        passed_over: dict[str, str] = {}
        while chosen and (taken := take_one(aws.sqs, one.dead_letter_url)) is not None:
            letter, receipt = taken
            if letter.message_id in passed_over:
                break  # the queue has come round
            if letter.message_id not in chosen:
                passed_over[letter.message_id] = receipt
                continue
            aws.sqs.send_message(QueueUrl=one.source_url, MessageBody=letter.body)
            aws.sqs.delete_message(QueueUrl=one.dead_letter_url, ReceiptHandle=receipt)
            chosen.remove(letter.message_id)
            yield Found(one.type, letter)
            time.sleep(pause_s)
        for receipt in passed_over.values():
            aws.sqs.change_message_visibility(QueueUrl=one.dead_letter_url, ReceiptHandle=receipt, VisibilityTimeout=0)


def _is_chosen(letter: DeadLetter, only: tuple[str, ...]) -> bool:
    return not only or any(_is(letter, wanted) for wanted in only)

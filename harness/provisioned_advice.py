"""Advice on what is really there: queues, functions, mappings and notifications as AWS has them.

In: a pipeline and a stack. Out: the same `Advice` that `harness.advice` gives on the description, of things that a
description of ours cannot say, or that somebody changed by hand since: a queue without a dead letter queue, a mapping
that takes no partial responses, a filter that matches no key. `deployed_of` asks AWS, `advise_on` is pure.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from harness.advice import Advice
from harness.aws import Aws
from harness.errors import HarnessError
from harness.pipeline import VISIBILITY_PER_FUNCTION_TIME, Pipeline
from harness.provision import resource_name

SQS_GUIDE = "Amazon SQS Developer Guide, Using dead-letter queues"
LAMBDA_GUIDE = "AWS Lambda Developer Guide, Using Lambda with Amazon SQS"
S3_GUIDE = "Amazon S3 User Guide, Configuring event notifications using object key name filtering"


@dataclass(frozen=True)
class Deployed:
    """What AWS has for one type; None where there is nothing. Seconds; `filters` are the prefixes of the bucket's
    notifications to the type's queue, "" for one that lets every key through."""

    type: str
    visibility_timeout_s: int
    retention_s: int
    dead_letter_queue: str | None
    dead_letter_retention_s: int | None
    function_timeout_s: int
    batch_size: int
    batch_window_s: int
    takes_partial_responses: bool
    mapping_is_enabled: bool
    filters: tuple[str, ...]


def deployed_of(pipeline: Pipeline, aws: Aws) -> list[Deployed]:
    """Ask AWS about every type of the pipeline.

    Raises:
        HarnessError: a queue, function or mapping is not there, or AWS does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        notifications: Any = aws.s3.get_bucket_notification_configuration(Bucket=pipeline.bucket)
        return [_deployed(pipeline, name, aws, notifications.get("QueueConfigurations", [])) for name in pipeline.types]
    except (BotoCoreError, ClientError) as error:
        raise HarnessError(f"what is deployed of {pipeline.name} cannot be read: {error}") from error


def _deployed(pipeline: Pipeline, name: str, aws: Aws, notifications: list[dict[str, Any]]) -> Deployed:
    base = resource_name(pipeline, name)
    attributes = _attributes(aws, aws.sqs.get_queue_url(QueueName=base)["QueueUrl"])
    target = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn")
    dead = _attributes(aws, aws.sqs.get_queue_url(QueueName=target.rpartition(":")[2])["QueueUrl"]) if target else {}
    mappings: Any = aws.functions.list_event_source_mappings(FunctionName=base, EventSourceArn=attributes["QueueArn"])[
        "EventSourceMappings"
    ]
    if not mappings:
        raise HarnessError(f"types.{name}: no event source mapping brings messages of {base} to its function")
    mapping = mappings[0]
    return Deployed(
        type=name,
        visibility_timeout_s=int(attributes["VisibilityTimeout"]),
        retention_s=int(attributes["MessageRetentionPeriod"]),
        dead_letter_queue=target,
        dead_letter_retention_s=int(dead["MessageRetentionPeriod"]) if dead else None,
        function_timeout_s=aws.functions.get_function_configuration(FunctionName=base)["Timeout"],
        batch_size=mapping["BatchSize"],
        batch_window_s=mapping.get("MaximumBatchingWindowInSeconds", 0),
        takes_partial_responses="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        mapping_is_enabled=mapping["State"] in ("Enabled", "Enabling", "Creating", "Updating"),
        filters=tuple(_prefix(one) for one in notifications if one["QueueArn"] == attributes["QueueArn"]),
    )


def _attributes(aws: Aws, url: str) -> dict[str, str]:
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {str(name): value for name, value in found.items()}


def _prefix(notification: dict[str, Any]) -> str:
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), "")


def advise_on(pipeline: Pipeline, deployed: list[Deployed]) -> list[Advice]:
    """Everything there is to say, type by type."""
    return [advice for one in deployed for rule in _RULES for advice in rule(pipeline, one)]


def _dead_letter_queue(_pipeline: Pipeline, one: Deployed) -> Iterator[Advice]:
    if one.dead_letter_queue is None:
        yield Advice(
            f"types.{one.type}: RedrivePolicy",
            f"the queue has no dead letter queue: a broken file comes back until its message is {one.retention_s} s "
            "old, and then it is gone",
            SQS_GUIDE,
        )
    elif one.dead_letter_retention_s is not None and one.dead_letter_retention_s <= one.retention_s:
        yield Advice(
            f"types.{one.type}: MessageRetentionPeriod of the dead letter queue",
            f"{one.dead_letter_retention_s} s is not longer than the source queue's {one.retention_s} s: a dead letter "
            "keeps the age it came with, so it can expire as soon as it arrives",
            SQS_GUIDE,
        )


def _visibility(_pipeline: Pipeline, one: Deployed) -> Iterator[Advice]:
    wanted_s = VISIBILITY_PER_FUNCTION_TIME * one.function_timeout_s + one.batch_window_s
    if one.visibility_timeout_s < wanted_s:
        yield Advice(
            f"types.{one.type}: VisibilityTimeout",
            f"{one.visibility_timeout_s} s is less than six times the function's timeout and its batch window, "
            f"{wanted_s} s: throttled batches come back while they are still worked on, and are loaded twice",
            LAMBDA_GUIDE,
        )


def _partial_responses(_pipeline: Pipeline, one: Deployed) -> Iterator[Advice]:
    if one.takes_partial_responses:
        return
    if one.batch_size > 1 or one.batch_window_s:
        yield Advice(
            f"types.{one.type}: FunctionResponseTypes",
            f"batches of up to {one.batch_size} without ReportBatchItemFailures: one broken file brings its whole "
            "batch back, and in the end to the dead letter queue",
            LAMBDA_GUIDE,
        )
    else:
        yield Advice(
            f"types.{one.type}: FunctionResponseTypes",
            "without ReportBatchItemFailures an answer that names a failed message is taken for success: the message "
            "is deleted",
            LAMBDA_GUIDE,
        )


def _mapping(_pipeline: Pipeline, one: Deployed) -> Iterator[Advice]:
    if not one.mapping_is_enabled:
        yield Advice(
            f"types.{one.type}: event source mapping",
            "it is disabled: nobody polls the queue",
            LAMBDA_GUIDE,
        )


def _filters(pipeline: Pipeline, one: Deployed) -> Iterator[Advice]:
    wanted = pipeline.types[one.type].prefix
    setting = f"types.{one.type}: notification filter"
    if not one.filters:
        yield Advice(setting, f"no notification goes to its queue: files under {wanted} are never loaded", S3_GUIDE)
    for prefix in one.filters:
        if prefix != quote_plus(prefix, safe="/"):
            yield Advice(
                setting,
                f"{prefix!r} can never match: the filter is compared with the percent-encoded key, "
                f"{quote_plus(prefix, safe='/')!r}",
                S3_GUIDE,
            )
        elif not wanted.startswith(prefix):
            yield Advice(setting, f"{prefix!r} does not match the type's files under {wanted!r}", S3_GUIDE)
        elif prefix != wanted:
            yield Advice(
                setting,
                f"{prefix!r} also lets through what is not under {wanted!r}, such as the files of others",
                S3_GUIDE,
            )


_Rule = Callable[[Pipeline, Deployed], Iterator[Advice]]
_RULES: tuple[_Rule, ...] = (_dead_letter_queue, _visibility, _partial_responses, _mapping, _filters)

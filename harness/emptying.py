"""An empty start: nothing of an earlier run is queued, in a table, or still worked at.

In: a pipeline as it was provisioned. Out: empty queues and tables, and event sources that are enabled. A run that was
killed leaves functions at work and messages for more of them; what such a function still commits would be in this run's
tables as something nobody delivered. So event sources take no messages while the last that were taken are dealt with.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness import sql
from harness.aws import Aws
from harness.errors import HarnessError
from harness.pipeline import Pipeline
from harness.provision import Provisioned, TypeResources

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

LOOK_EVERY_S = 0.2
# On AWS a mapping takes up to a minute to be enabled or disabled.
SWITCHED_WITHIN_S = 180.0
# An environment's initialisation comes before the time that a function's timeout counts (Lambda: 10 s at most).
INIT_S = 10.0


def empty(pipeline: Pipeline, provisioned: Provisioned, aws: Aws, say: Callable[[str], None] | None = None) -> None:
    """Forget what an earlier run left: queues and tables start empty, and the bucket for a job that lists it. `say` is
    told when that takes a while.

    Raises:
        HarnessError: AWS failed, or a mapping could not be disabled or enabled.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        if pipeline.batch:
            for settings in pipeline.types.values():
                _remove_objects(aws, pipeline.bucket, settings.prefix)
        busy = {name: found for name, found in provisioned.types.items() if any(_messages(aws, found))}
        with _paused(aws, busy):
            _wait_for_functions(pipeline, aws, busy, say)
            for resource in provisioned.types.values():
                aws.sqs.purge_queue(QueueUrl=resource.queue_url)
                aws.sqs.purge_queue(QueueUrl=resource.dead_letter_queue_url)
            _truncate(pipeline, aws)
    except (BotoCoreError, ClientError) as error:
        raise HarnessError(f"emptying {pipeline.name}: {error}") from error


def _messages(aws: Aws, resource: TypeResources) -> tuple[int, int]:
    """How many messages are queued, and how many are taken and not dealt with."""
    found = aws.sqs.get_queue_attributes(
        QueueUrl=resource.queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])


@contextmanager
def _paused(aws: Aws, resources: Mapping[str, TypeResources]) -> Iterator[None]:
    """These event sources take no messages during the block."""
    try:
        _switch(aws, resources, to="Disabled")
        yield
    finally:
        _switch(aws, resources, to="Enabled")


def _switch(aws: Aws, resources: Mapping[str, TypeResources], to: str) -> None:
    for resource in resources.values():
        aws.functions.update_event_source_mapping(UUID=resource.mapping_id, Enabled=to == "Enabled")
    deadline = time.monotonic() + SWITCHED_WITHIN_S
    for name, resource in resources.items():
        while (state := aws.functions.get_event_source_mapping(UUID=resource.mapping_id)["State"]) != to:
            if time.monotonic() > deadline:
                raise HarnessError(f"the event source of {name} is {state}, not {to}, after {SWITCHED_WITHIN_S:g} s")
            time.sleep(LOOK_EVERY_S)


def _wait_for_functions(
    pipeline: Pipeline, aws: Aws, busy: Mapping[str, TypeResources], say: Callable[[str], None] | None
) -> None:
    """Until no message is with a function any more. One whose function failed stays taken until it would be visible
    again, but no function outlives its timeout."""
    began_s, said = time.monotonic(), False
    for name, resource in busy.items():
        limit_s = pipeline.function_of(name).timeout_s + INIT_S
        while _messages(aws, resource)[1] and time.monotonic() - began_s < limit_s:
            if say and not said:
                say(f"waiting for functions of an earlier run, {limit_s:g} s at most")
                said = True
            time.sleep(LOOK_EVERY_S)


def _truncate(pipeline: Pipeline, aws: Aws) -> None:
    with sql.warehouse(aws.endpoints, "nrt-provision") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for settings in pipeline.types.values():
            cursor.execute(f"TRUNCATE {settings.stage_table}")
            cursor.execute(f"TRUNCATE {settings.final_table}")


def _remove_objects(aws: Aws, bucket: str, prefix: str) -> None:
    for page in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        if found := page.get("Contents", []):
            keys: list[ObjectIdentifierTypeDef] = [{"Key": item["Key"]} for item in found]
            aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})

"""The Lambda function: `handler.app.handler`.

In: an SQS batch of S3 event notifications, for one data type. Out: the files' rows in that type's stage table, and the
ids of the messages that failed (`ReportBatchItemFailures`), which alone come back. Each file is loaded in a transaction
of its own. A file that is delivered twice is staged twice; the merge keeps one version of each key.
"""

import datetime
import functools
import os
from dataclasses import dataclass
from typing import Any

import boto3

from handler import config, events, files, log
from handler.aws import ReusingSession
from handler.config import Settings
from handler.events import S3Object
from handler.lineage import with_lineage
from handler.warehouse import Warehouse


@dataclass(frozen=True)
class Environment:
    """What an execution environment keeps between invocations."""

    settings: Settings
    session: boto3.Session
    warehouse: Warehouse


@functools.cache
def environment() -> Environment:
    """Made by the first invocation and kept while the environment is warm.

    Raises:
        ConfigError: it names the environment variable that is missing or wrong.
    """
    settings, session = config.from_environment(os.environ), ReusingSession()
    return Environment(settings, session, Warehouse(settings, session))


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Load the batch; `event` is Lambda's SQS event, the answer is its partial batch response.

    Raises:
        ConfigError: the function is set up wrongly, so the whole batch comes back.
    """
    loading = environment()
    request_id = str(getattr(context, "aws_request_id", ""))
    failed = [record["messageId"] for record in event["Records"] if not _load_message(record, request_id, loading)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _load_message(record: dict[str, Any], request_id: str, loading: Environment) -> bool:
    message = {"message_id": record["messageId"], "request_id": request_id} | _sqs_attributes(record)
    try:
        objects = events.objects_in(record["body"])
    except events.EventError as error:
        log.event("message_failed", **message, error=str(error))
        return False
    # The good files of a message are loaded whatever its other files do.
    loaded = [_load_file(found, message, loading) for found in objects]
    return all(loaded)


def _sqs_attributes(record: dict[str, Any]) -> dict[str, int]:
    """When the message was sent and how often it has been received: on AWS the logs alone can tell afterwards."""
    names = {"SentTimestamp": "sent_ms", "ApproximateReceiveCount": "receive_count"}
    attributes = record.get("attributes", {})
    return {field: int(attributes[name]) for name, field in names.items() if name in attributes}


def _load_file(found: S3Object, message: dict[str, Any], loading: Environment) -> bool:
    about = {"file": found.key, "type": loading.settings.data_type} | message
    phases = log.Phases()
    try:
        rows, committed_at_s = _stage(found, loading, phases)
    except Exception as error:  # noqa: BLE001 - whatever a file does, its neighbours in the batch must not come back with it
        reason = " ".join(str(error).split())
        log.event("file_failed", **about, error=reason, error_type=type(error).__name__, phase_ms=phases.as_ms())
        return False
    log.event("file_loaded", **about, rows=rows, committed_at_s=committed_at_s, phase_ms=phases.as_ms())
    return True


def _stage(found: S3Object, loading: Environment, phases: log.Phases) -> tuple[int, float]:
    settings = loading.settings
    with phases.measure("read"):
        content = files.fetch(found.bucket, found.key, loading.session)
    with phases.measure("check"):
        table = files.decode(content, settings.file_format, settings.schema)
        frame = with_lineage(table, found.key, datetime.datetime.now(datetime.UTC))
    with phases.measure("connect"):
        loading.warehouse.connect()
    with phases.measure("copy"):
        committed_at_s = loading.warehouse.append(frame)
    return table.num_rows, committed_at_s

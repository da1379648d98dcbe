"""Function logs on their way to CloudWatch Logs, without an API call for each invoke.

LocalStack's own loop calls PutLogEvents through boto3 for every invoke: 3.5 ms of CPU. This one puts the same events
into the same store. In: a log handler's queue. Out: log events, one per line as LocalStack splits them. While there are
metric filters it goes the long way, because LocalStack evaluates those in the API.
"""

import logging
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.logs import QUEUE_SHUTDOWN, LogHandler, LogItem
from localstack.services.logs import provider as logs_provider  # it also teaches moto subscription filters
from localstack.utils.aws.arns import parse_arn
from localstack.utils.aws.client_types import ServicePrincipal

LOG = logging.getLogger(__name__)


def run_log_loop(handler: LogHandler, *_args: Any, **_kwargs: Any) -> None:
    """Write what comes through the handler's queue until it is told to end; takes LogHandler.run_log_loop's place."""
    while not handler._shutdown_event.is_set():
        item = handler.log_queue.get()
        if item is QUEUE_SHUTDOWN:
            return
        try:
            write(handler.role_arn, handler.region, item)
        except (BotoCoreError, ClientError) as error:
            LOG.warning("logs of %s were not taken: %s", item.log_group, error)


def write(role_arn: str, region: str, item: LogItem) -> None:
    """Put one invoke's lines into its log stream, making group and stream when they are not there."""
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms, "message": line + "\n"} for line in item.logs.split("\n") if line]
    backend = logs_provider.get_moto_logs_backend(parse_arn(role_arn)["account"], region)
    group = backend.groups.get(item.log_group)
    if group is None or item.log_stream not in group.streams:
        _create(role_arn, region, item, group is None)
    if backend.filters.metric_filters:
        _client(role_arn, region).put_log_events(
            logGroupName=item.log_group, logStreamName=item.log_stream, logEvents=events
        )
    else:
        backend.groups[item.log_group].put_log_events(item.log_stream, events)


def _create(role_arn: str, region: str, item: LogItem, with_group: bool) -> None:
    client = _client(role_arn, region)
    for needed, operation, arguments in (
        (with_group, client.create_log_group, {}),
        (True, client.create_log_stream, {"logStreamName": item.log_stream}),
    ):
        if needed:
            try:
                operation(logGroupName=item.log_group, **arguments)
            except client.exceptions.ResourceAlreadyExistsException:
                LOG.debug("%s or %s was made by another invoke", item.log_group, item.log_stream)


def _client(role_arn: str, region: str) -> Any:
    return connect_to.with_assumed_role(
        region_name=region, role_arn=role_arn, service_principal=ServicePrincipal.lambda_
    ).logs

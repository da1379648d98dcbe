"""A stack that is deployed on AWS, as a run sees it: endpoints, names, and tables that are empty.

In: the outputs of a CloudFormation stack that `harness.aws_stack.template` made. Out: `Endpoints`, and what
`provision` answers elsewhere. Credentials and region are the caller's, as boto3 finds them.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness import sql
from harness.aws import Aws
from harness.aws_stack.stacks import Deployed
from harness.aws_stack.template import logical
from harness.emptying import empty
from harness.errors import HarnessError, UsageError
from harness.pipeline import Pipeline
from harness.provision import Provisioned, TypeResources, make_tables
from harness.stack.directories import private_directory
from harness.stack.endpoints import Endpoints, OnAws, Redshift

MERGES_RUN_BY_THEMSELVES = "ENABLED"
TEST_EVENTS_WITHIN_S, LOOK_EVERY_S = 60.0, 1.0
"""How long a stack that was made a moment ago may take to have empty queues."""


def names(deployed: Deployed, pipeline: Pipeline, may_empty: bool) -> OnAws:
    """What the stack's resources are called.

    Raises:
        UsageError: the stack was not made from this pipeline's template, or runs its merges by itself.
    """
    if deployed.parameters.get("MergeState") == MERGES_RUN_BY_THEMSELVES:
        raise UsageError(
            f"the stack {deployed.name} runs its merges by itself, and a run has to know of each: deploy it with "
            "--parameter MergeState=DISABLED"
        )

    def of_types(kind: str) -> dict[str, str]:
        return {name: deployed.output(f"{logical(name)}{kind}") for name in pipeline.types}

    cluster = deployed.parameters.get("RedshiftCluster", "")
    return OnAws(
        stack=deployed.name,
        bucket=deployed.output("Bucket"),
        copy_role=deployed.output("CopyRole"),
        secret_arn=deployed.output("RedshiftSecretArn"),
        data_api_target={"ClusterIdentifier": cluster} if cluster else {"WorkgroupName": deployed.name},
        functions=of_types("Function"),
        mappings=of_types("Mapping"),
        queue_urls=of_types("Queue"),
        dead_letter_queue_urls=of_types("DeadLetterQueue"),
        may_empty=may_empty,
    )


@contextmanager
def adopted(deployed: Deployed, pipeline: Pipeline, may_empty: bool) -> Iterator[Endpoints]:
    """The endpoints of a stack, whose private directory lives as long as the block.

    Raises:
        UsageError: the stack is not one that a run can use.
        HarnessError: no region, or the warehouse's secret cannot be read.
    """
    on_aws = names(deployed, pipeline, may_empty)
    redshift = _redshift(deployed, on_aws)
    with private_directory() as directory:
        endpoints = Endpoints(
            stack="aws",
            aws_endpoint_url=os.environ.get("AWS_ENDPOINT_URL", ""),
            region=region(),
            redshift=redshift,
            # The harness counts there, too: on AWS there is nothing behind the warehouse.
            postgres=redshift,
            directory=directory,
            trace_file=directory / "invocations.jsonl",
            query_log=directory / "queries.jsonl",
            images_file=None,
            pids={},
            on_aws=on_aws,
        )
        status = directory / "status.json"
        status.touch(mode=0o600)
        status.write_text(json.dumps(endpoints.to_json()))
        yield endpoints


def region() -> str:
    """The caller's region.

    Raises:
        UsageError: there is none.
    """
    import boto3

    found = boto3.session.Session().region_name
    if found is None:
        raise UsageError("no region: set AWS_DEFAULT_REGION, or one in your AWS profile")
    return found


def _redshift(deployed: Deployed, on_aws: OnAws) -> Redshift:
    import boto3
    import certifi
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=on_aws.secret_arn)
        secret = json.loads(answer["SecretString"])
        user, password = secret["username"], secret["password"]
    except (BotoCoreError, ClientError, KeyError, ValueError) as error:
        raise HarnessError(f"the warehouse's secret {on_aws.secret_arn} cannot be read: {error}") from error
    # AWS's authorities are among the usual ones; a stand-in has one of its own.
    own = deployed.parameters.get("RedshiftCaFile", "")
    ca_file = own if own and Path(own).is_file() else certifi.where()
    return Redshift(
        deployed.output("RedshiftHost"), int(deployed.output("RedshiftPort")), deployed.output("RedshiftDatabase"),
        user, password, ca_file,
    )  # fmt: skip


def take_over(pipeline: Pipeline, aws: Aws, on_aws: OnAws) -> Provisioned:
    """Make the tables that are not there yet; everything else is.

    Raises:
        UsageError: the pipeline's DDL was refused.
        HarnessError: AWS does not know a resource of the stack.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    make_tables(pipeline, aws)
    try:
        return Provisioned({name: _resources(name, aws, on_aws) for name in pipeline.types})
    except (BotoCoreError, ClientError) as error:
        raise HarnessError(f"the stack {on_aws.stack}: {error}") from error


def _resources(name: str, aws: Aws, on_aws: OnAws) -> TypeResources:
    url = on_aws.queue_urls[name]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return TypeResources(url, arn, on_aws.dead_letter_queue_urls[name], on_aws.functions[name], on_aws.mappings[name])


def start_empty(
    pipeline: Pipeline, provisioned: Provisioned, aws: Aws, on_aws: OnAws, say: Callable[[str], None] | None = None
) -> None:
    """A run counts every row, so it begins with none: have it so, or see that it is so.

    Raises:
        UsageError: there are rows or messages, and nobody said that they may go.
    """
    if on_aws.may_empty:
        empty(pipeline, provisioned, aws, say)
        return
    types = provisioned.types.items()
    found = _rows(pipeline, aws) + _messages({name: made.dead_letter_queue_url for name, made in types}, aws)
    deadline = time.monotonic() + TEST_EVENTS_WITHIN_S
    # S3 sends each queue that it is told to notify a test event, which the function takes like any message
    while not found and (waiting := _messages({name: made.queue_url for name, made in types}, aws)):
        if time.monotonic() > deadline:
            found = waiting
        time.sleep(LOOK_EVERY_S)
    if found:
        raise UsageError(
            f"the stack {on_aws.stack} is not empty ({', '.join(found)}), and a run counts every record: "
            "--empty-tables truncates its tables and purges its queues, for good"
        )


def _rows(pipeline: Pipeline, aws: Aws) -> list[str]:
    found = []
    with sql.warehouse(aws.endpoints, "nrt-provision") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for settings in pipeline.types.values():
            for table in (settings.stage_table, settings.final_table):
                cursor.execute(f"SELECT COUNT(*) FROM {table}")
                row = cursor.fetchone()
                if row and row[0]:
                    found.append(f"{row[0]} rows in {table}")
    return found


def _messages(queue_urls: Mapping[str, str], aws: Aws) -> list[str]:
    found = []
    for name, url in queue_urls.items():
        counts = aws.sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        if messages := sum(map(int, counts.values())):
            found.append(f"{messages} messages of {name}")
    return found

"""Make what `pipeline.toml` describes on a stack: bucket, queues, functions, notifications, mappings, tables.

In: a pipeline and a stack's endpoints. Out: the names and addresses of what was made. Every step is idempotent: a
second call changes what differs and leaves the rest.
"""

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import sql, warehouse_model
from harness.aws import Aws
from harness.errors import HarnessError, UsageError
from harness.pipeline import COPY_STAGING_PREFIX, Pipeline
from harness.stack.endpoints import Endpoints, Inside
from harness.timing import Timing

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

POSTGRES_NAME_MAX_BYTES = 63
ROLE_ARN = "arn:aws:iam::000000000000:role/nrt-harness"


@dataclass(frozen=True)
class TypeResources:
    """What one data type got."""

    queue_url: str
    queue_arn: str
    dead_letter_queue_url: str
    function_name: str
    mapping_id: str


@dataclass(frozen=True)
class Provisioned:
    """What a pipeline got, by type."""

    types: dict[str, TypeResources]


def resource_name(pipeline: Pipeline, type_name: str) -> str:
    """The name that the queue and the function of a type share."""
    return f"{pipeline.name}-{type_name}"


def functions_of(pipeline: Pipeline, provisioned: Provisioned) -> dict[str, dict[str, Any]]:
    """What a run keeps of each function's settings, for cost and simulation, by the function's name."""
    return {
        resources.function_name: {
            "type": name,
            "memory_mb": pipeline.function_of(name).memory_mb,
            "batch_size": pipeline.queue_of(name).batch_size,
            "batch_window_s": pipeline.queue_of(name).batch_window_s,
            "maximum_concurrency": pipeline.queue_of(name).maximum_concurrency,
            "reads_secret": "REDSHIFT_SECRET_ID" in pipeline.function_of(name).environment,
        }
        for name, resources in provisioned.types.items()
    }


def _ensure_queue(sqs: "SQSClient", name: str, attributes: "dict[QueueAttributeNameType, str]") -> tuple[str, str]:
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def _queue_policy(queue_arn: str, bucket: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
                }
            ],
        }
    )


def function_environment(pipeline: Pipeline, type_name: str, aws: Aws, seen: Endpoints | None = None) -> dict[str, str]:
    """The environment variables of a type's function; `seen` is what it connects to, if not the stack itself."""
    settings, seen = pipeline.types[type_name], seen or aws.endpoints
    redshift = seen.inside.redshift if seen.inside else seen.redshift
    environment = {
        "DATA_TYPE": type_name,
        "FILE_FORMAT": settings.format,
        "STAGE_TABLE": settings.stage_table,
        "COLUMNS": json.dumps({name: column.type for name, column in settings.columns.items()}),
        "COPY_STAGING_PATH": f"s3://{pipeline.bucket}/{COPY_STAGING_PREFIX}",
        "COPY_IAM_ROLE": ROLE_ARN,
        "REDSHIFT_HOST": redshift.host,
        "REDSHIFT_PORT": str(redshift.port),
        "REDSHIFT_DATABASE": redshift.database,
        "REDSHIFT_USER": redshift.user,
        "REDSHIFT_PASSWORD": redshift.password,
    }
    if redshift.ca_file:
        environment["REDSHIFT_CA_FILE"] = redshift.ca_file
    if seen.aws_endpoint_url != aws.endpoints.aws_endpoint_url:
        environment["AWS_ENDPOINT_URL"] = seen.aws_endpoint_url
    return environment | pipeline.function_of(type_name).environment


def registered_images(pipeline: Pipeline, inside: Inside | None) -> str:
    """JSON that tells the executor which environment and directory stand for the pipeline's images."""
    images = {}
    for function in map(pipeline.function_of, pipeline.types):
        images[function.image] = {
            "python": inside.handler_python if inside else function.python or sys.executable,
            "working_directory": inside.pipeline_directory if inside else str(pipeline.directory),
        }
    return json.dumps(images)


def register_image(pipeline: Pipeline, aws: Aws) -> None:
    """Write the executor's file of images, whole at once: it may be read meanwhile, and belong to another user."""
    if (images_file := aws.endpoints.images_file) is None:
        return
    new = images_file.with_suffix(".new")
    new.write_text(registered_images(pipeline, aws.endpoints.inside))
    new.replace(images_file)


def _working_directory(pipeline: Pipeline, aws: Aws) -> str:
    return aws.endpoints.inside.pipeline_directory if aws.endpoints.inside else str(pipeline.directory)


def _ensure_function(pipeline: Pipeline, type_name: str, aws: Aws, seen: Endpoints | None) -> str:
    client, settings = aws.functions, pipeline.function_of(type_name)
    name = resource_name(pipeline, type_name)
    configuration: dict[str, Any] = {
        "FunctionName": name,
        "Role": ROLE_ARN,
        "Timeout": settings.timeout_s,
        "MemorySize": settings.memory_mb,
        "Environment": {"Variables": function_environment(pipeline, type_name, aws, seen)},
        "ImageConfig": {"Command": [settings.handler], "WorkingDirectory": _working_directory(pipeline, aws)},
    }
    try:
        client.create_function(PackageType="Image", Code={"ImageUri": settings.image}, **configuration)
    except client.exceptions.ResourceConflictException:
        client.update_function_configuration(**configuration)
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        client.update_function_code(FunctionName=name, ImageUri=settings.image)
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    if settings.reserved_concurrency is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=settings.reserved_concurrency)
    return name


def _ensure_mapping(client: "LambdaClient", pipeline: Pipeline, type_name: str, function: str, queue_arn: str) -> str:
    queue = pipeline.queue_of(type_name)
    settings: dict[str, Any] = {
        "BatchSize": queue.batch_size,
        "MaximumBatchingWindowInSeconds": queue.batch_window_s,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": queue.maximum_concurrency} if queue.maximum_concurrency else {},
    }
    existing = client.list_event_source_mappings(FunctionName=function, EventSourceArn=queue_arn)
    if mappings := existing["EventSourceMappings"]:
        identifier = mappings[0]["UUID"]
        client.update_event_source_mapping(UUID=identifier, FunctionName=function, Enabled=True, **settings)
        return identifier
    return client.create_event_source_mapping(FunctionName=function, EventSourceArn=queue_arn, **settings)["UUID"]


def notify_queues(pipeline: Pipeline, aws: Aws, queue_arns: dict[str, str]) -> None:
    """Have the bucket tell each type's queue of objects below its prefix."""
    aws.s3.put_bucket_notification_configuration(
        Bucket=pipeline.bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": resource_name(pipeline, name),
                    "QueueArn": queue_arns[name],
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": settings.prefix}]}},
                }
                for name, settings in pipeline.types.items()
            ]
        },
    )


def check_name_lengths(pipeline: Pipeline) -> None:
    """Where there is no Redshift the harness counts rows in PostgreSQL itself, whose names are shorter.

    Raises:
        UsageError: a table or column has a longer one.
    """
    for type_name, settings in pipeline.types.items():
        named = {
            "stage_table": sql.split_table(settings.stage_table),
            "final_table": sql.split_table(settings.final_table),
            "columns": tuple(settings.columns),
        }
        for key, names in named.items():
            for name in names:
                if len(name) > POSTGRES_NAME_MAX_BYTES:
                    raise UsageError(
                        f"types.{type_name}.{key}: {name!r} has more than {POSTGRES_NAME_MAX_BYTES} bytes: Redshift "
                        "takes it, but on this stack the harness counts the rows in PostgreSQL, which does not"
                    )


def make_tables(pipeline: Pipeline, aws: Aws) -> None:
    """Run the pipeline's DDL in the warehouse.

    Raises:
        UsageError: the warehouse refused a statement, or a table the pipeline names was not made.
    """
    import psycopg2

    if aws.endpoints.on_aws is None:
        check_name_lengths(pipeline)
    with sql.warehouse(aws.endpoints, "nrt-provision") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in sql.statements(pipeline.ddl):
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                first_line = statement.strip().splitlines()[0]
                raise UsageError(f"{pipeline.ddl}: {first_line} …: {str(error).strip()}") from error
        for type_name, settings in pipeline.types.items():
            for key, table in (("stage_table", settings.stage_table), ("final_table", settings.final_table)):
                cursor.execute(
                    "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = %s",
                    sql.split_table(table),
                )
                row = cursor.fetchone()
                if row is None or not row[0]:
                    raise UsageError(f"{pipeline.ddl}: does not make types.{type_name}.{key} {table!r}")


def provision(pipeline: Pipeline, timing: Timing, aws: Aws, seen: Endpoints | None = None) -> Provisioned:
    """Make or update everything; returns when every function and mapping is active.

    `seen` is what functions connect to, where that is not the stack itself: a proxy that stands in front of it.

    Raises:
        UsageError: the pipeline's DDL was refused.
        HarnessError: a function or mapping did not become active.
    """
    from botocore.exceptions import ClientError, WaiterError

    if aws.endpoints.on_aws is not None:
        from harness.aws_stack.adopted import take_over

        return take_over(pipeline, aws, aws.endpoints.on_aws)
    try:
        make_tables(pipeline, aws)
        warehouse_model.apply(pipeline.warehouse.model, aws.endpoints)
        if pipeline.batch:
            aws.s3.create_bucket(Bucket=pipeline.bucket)
            # What an event-driven pipeline left on this bucket would load the files, too.
            aws.s3.put_bucket_notification_configuration(Bucket=pipeline.bucket, NotificationConfiguration={})
            return Provisioned({})
        register_image(pipeline, aws)
        resources, queue_arns = {}, {}
        for name in pipeline.types:
            queue, base = pipeline.queue_of(name), resource_name(pipeline, name)
            dead_letter_url, dead_letter_arn = _ensure_queue(
                aws.sqs, f"{base}-dlq", {"MessageRetentionPeriod": str(queue.dead_letter_retention_s)}
            )
            redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": queue.max_receive_count}
            url, arn = _ensure_queue(
                aws.sqs,
                base,
                {
                    "VisibilityTimeout": str(timing.visibility_timeout_s[name]),
                    "MessageRetentionPeriod": str(queue.retention_s),
                    "RedrivePolicy": json.dumps(redrive),
                    "Policy": _queue_policy(f"arn:aws:sqs:{aws.endpoints.region}:000000000000:{base}", pipeline.bucket),
                },
            )
            function = _ensure_function(pipeline, name, aws, seen)
            queue_arns[name] = arn
            resources[name] = TypeResources(url, arn, dead_letter_url, function, "")
        # After its queues: a bucket that an emulator kept when it was killed notifies them at once
        aws.s3.create_bucket(Bucket=pipeline.bucket)
        notify_queues(pipeline, aws, queue_arns)
        for name, resource in resources.items():
            aws.functions.get_waiter("function_active_v2").wait(
                FunctionName=resource.function_name, WaiterConfig={"Delay": 1}
            )
            mapping = _ensure_mapping(aws.functions, pipeline, name, resource.function_name, resource.queue_arn)
            resources[name] = TypeResources(
                resource.queue_url, resource.queue_arn, resource.dead_letter_queue_url, resource.function_name, mapping
            )
    except (ClientError, WaiterError) as error:
        raise HarnessError(f"provisioning {pipeline.name}: {error}") from error
    return Provisioned(resources)

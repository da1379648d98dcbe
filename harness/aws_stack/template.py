"""The CloudFormation template of a pipeline: what `pipeline.toml` describes, as AWS resources.

In: a pipeline. Out: a template as plain values. It is generated, so that queue, function and merge settings are said
once; `deploy/pipeline.json` is that of the project's own pipeline. Limits and defaults are AWS's, see docs/aws.md.
"""

import json
import re
from typing import Any

from harness import sql
from harness.aws_stack.warehouse import CONDITIONS, PARAMETERS, REDSHIFT, existing_or, resources
from harness.pipeline import COPY_STAGING_PREFIX, Pipeline

Resource = dict[str, Any]

LANDING_DAYS = 30
LOG_DAYS = 30
DEAD_LETTER_QUEUE_AGE_S = 300
TAG = "nrt-harness"


def logical(name: str) -> str:
    """`click-stream` as `ClickStream`: CloudFormation's logical ids are letters and digits."""
    return "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", name))


def ref(name: str) -> Resource:
    return {"Ref": name}


def att(name: str, attribute: str) -> Resource:
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> Resource:
    return {"Fn::Sub": text}


def template(pipeline: Pipeline) -> dict[str, Any]:
    """The template.

    Raises:
        UsageError: a merge script cannot be read.
    """
    made = {"Bucket": _bucket(pipeline), "FunctionRole": _function_role(), "CopyRole": _copy_role()} | resources()
    outputs: dict[str, Resource] = {"Bucket": {"Value": ref("Bucket")}, "CopyRole": {"Value": att("CopyRole", "Arn")}}
    outputs |= {f"Redshift{name}": {"Value": existing_or(f"Redshift{name}", value)} for name, value in REDSHIFT.items()}
    for name in pipeline.types:
        made |= _type(pipeline, name)
        base = logical(name)
        outputs |= {
            f"{base}Queue": {"Value": ref(f"{base}Queue")},
            f"{base}DeadLetterQueue": {"Value": ref(f"{base}DeadLetterQueue")},
            f"{base}Function": {"Value": ref(f"{base}Function")},
            f"{base}Mapping": {"Value": ref(f"{base}Mapping")},
            f"{base}Merge": {"Value": ref(f"{base}Merge")},
        }
    _tag(made, pipeline)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The pipeline {pipeline.name}: S3, SQS, Lambda, Redshift; generated from its pipeline.toml",
        # Parameters that only one kind of warehouse needs are empty for the other.
        "Metadata": {"cfn-lint": {"config": {"ignore_checks": ["W1030"]}}},
        "Parameters": {
            "ImageUri": {"Type": "String", "Description": "The functions' container image in ECR"},
            "MergeState": {
                "Type": "String", "Default": "ENABLED", "AllowedValues": ["ENABLED", "DISABLED"],
                "Description": "Whether the merges run by themselves; a load test runs them itself",
            },
            "AlarmTopicArn": {"Type": "String", "Default": "", "Description": "SNS topic for alarms; none if empty"},
        } | PARAMETERS,
        "Conditions": {"HasAlarmTopic": {"Fn::Not": [{"Fn::Equals": [ref("AlarmTopicArn"), ""]}]}} | CONDITIONS,
        "Resources": made,
        "Outputs": outputs,
    }  # fmt: skip


def as_text(pipeline: Pipeline) -> str:
    """The template as JSON."""
    return json.dumps(template(pipeline), indent=2, ensure_ascii=False) + "\n"


def _bucket(pipeline: Pipeline) -> Resource:
    return {
        "Type": "AWS::S3::Bucket",
        # S3 checks that it may send to each queue when the notification is made.
        "DependsOn": [f"{logical(name)}QueuePolicy" for name in pipeline.types],
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "LifecycleConfiguration": {
                "Rules": [
                    {"Id": "staging", "Status": "Enabled", "Prefix": COPY_STAGING_PREFIX, "ExpirationInDays": 1},
                    {"Id": "landing", "Status": "Enabled", "ExpirationInDays": LANDING_DAYS,
                     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
                ]
            },
            "NotificationConfiguration": {
                "QueueConfigurations": [
                    {
                        "Event": "s3:ObjectCreated:*",
                        "Queue": att(f"{logical(name)}Queue", "Arn"),
                        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": settings.prefix}]}},
                    }
                    for name, settings in pipeline.types.items()
                ]
            },
        },
    }  # fmt: skip


def _role(service: list[str], policy: list[Resource]) -> Resource:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "pipeline", "PolicyDocument": {"Version": "2012-10-17", "Statement": policy}}],
        },
    }


def _allow(actions: list[str], resource: Any) -> Resource:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


# The role's name comes from CloudFormation, the bucket's too: by name it would make a circle of bucket, queue and role.
_STACK_BUCKET = "arn:${AWS::Partition}:s3:::${AWS::StackName}-*"


def _function_role() -> Resource:
    queues = sub("arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*")
    logs = sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${AWS::StackName}-*")
    network = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"]
    bucket = [
        _allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], sub("${Bucket.Arn}/*")),
        _allow(["s3:ListBucket"], att("Bucket", "Arn")),
    ]
    return _role(
        ["lambda.amazonaws.com"],
        [
            _allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs),
            _allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queues),
            _allow(["secretsmanager:GetSecretValue"], existing_or("RedshiftSecretArn", REDSHIFT["SecretArn"])),
            _allow(network, "*"),  # Lambda needs them to reach into a VPC; they know no resources
            *bucket,
        ],
    )


def _copy_role() -> Resource:
    return _role(
        ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"],
        [
            _allow(["s3:GetObject"], sub(f"${{Bucket.Arn}}/{COPY_STAGING_PREFIX}*")),
            _allow(["s3:ListBucket"], att("Bucket", "Arn")),
        ],
    )


def _type(pipeline: Pipeline, name: str) -> dict[str, Resource]:
    base, queue = logical(name), pipeline.queue_of(name)
    dead = f"{base}DeadLetterQueue"
    mapping: Resource = {
        "EventSourceArn": att(f"{base}Queue", "Arn"),
        "FunctionName": ref(f"{base}Function"),
        "BatchSize": queue.batch_size,
        "MaximumBatchingWindowInSeconds": queue.batch_window_s,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    if queue.maximum_concurrency:
        mapping["ScalingConfig"] = {"MaximumConcurrency": queue.maximum_concurrency}
    return {
        dead: _queue(f"{name}-dlq", {"MessageRetentionPeriod": queue.dead_letter_retention_s}),
        f"{base}Queue": _queue(
            name,
            {
                "VisibilityTimeout": queue.visibility_timeout_s,
                "MessageRetentionPeriod": queue.retention_s,
                "RedrivePolicy": {"deadLetterTargetArn": att(dead, "Arn"), "maxReceiveCount": queue.max_receive_count},
            },
        ),
        f"{base}QueuePolicy": _queue_policy(f"{base}Queue"),
        f"{base}LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "LogGroupName": sub(f"/aws/lambda/${{AWS::StackName}}-{name}"),
                "RetentionInDays": LOG_DAYS,
            },
        },
        f"{base}Function": _function(pipeline, name),
        f"{base}Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
        f"{base}Merge": _merge(pipeline, name),
        f"{base}DeadLetterAlarm": _alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", dead, 0),
        f"{base}AgeAlarm": _alarm(
            "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", f"{base}Queue", DEAD_LETTER_QUEUE_AGE_S
        ),
        f"{base}ErrorAlarm": _alarm("AWS/Lambda", "Errors", "FunctionName", f"{base}Function", 0),
    }


def _queue(name: str, properties: Resource) -> Resource:
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {"QueueName": sub(f"${{AWS::StackName}}-{name}"), "SqsManagedSseEnabled": True} | properties,
    }


def _queue_policy(queue: str) -> Resource:
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [ref(queue)],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "s3.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": att(queue, "Arn"),
                        "Condition": {
                            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
                            "ArnLike": {"aws:SourceArn": sub(_STACK_BUCKET)},
                        },
                    }
                ],
            },
        },
    }


def _function(pipeline: Pipeline, name: str) -> Resource:
    settings, kind = pipeline.function_of(name), pipeline.types[name]
    environment: Resource = {
        "DATA_TYPE": name,
        "FILE_FORMAT": kind.format,
        "STAGE_TABLE": kind.stage_table,
        "COLUMNS": json.dumps({column: found.type for column, found in kind.columns.items()}),
        "COPY_STAGING_PATH": sub(f"s3://${{Bucket}}/{COPY_STAGING_PREFIX}"),
        "COPY_IAM_ROLE": att("CopyRole", "Arn"),
        "REDSHIFT_HOST": existing_or("RedshiftHost", REDSHIFT["Host"]),
        "REDSHIFT_PORT": existing_or("RedshiftPort", REDSHIFT["Port"]),
        "REDSHIFT_DATABASE": ref("RedshiftDatabase"),
        "REDSHIFT_USER": ref("RedshiftUser"),
        "REDSHIFT_SECRET_ID": existing_or("RedshiftSecretArn", REDSHIFT["SecretArn"]),
        "REDSHIFT_CA_FILE": {"Fn::If": ["HasCaFile", ref("RedshiftCaFile"), ref("AWS::NoValue")]},
    }
    properties: Resource = {
        "FunctionName": sub(f"${{AWS::StackName}}-{name}"),
        "PackageType": "Image",
        "Code": {"ImageUri": ref("ImageUri")},
        "ImageConfig": {"Command": [settings.handler]},
        "Role": att("FunctionRole", "Arn"),
        "Timeout": settings.timeout_s,
        "MemorySize": settings.memory_mb,
        "Environment": {"Variables": environment | settings.environment},
        "LoggingConfig": {"LogGroup": ref(f"{logical(name)}LogGroup")},
        "VpcConfig": {
            "Fn::If": [
                "InVpc",
                {"SubnetIds": ref("SubnetIds"), "SecurityGroupIds": [ref("FunctionSecurityGroup")]},
                ref("AWS::NoValue"),
            ]
        },
    }
    if settings.reserved_concurrency is not None:
        properties["ReservedConcurrentExecutions"] = settings.reserved_concurrency
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def _merge(pipeline: Pipeline, name: str) -> Resource:
    """EventBridge Scheduler calls the Data API's BatchExecuteStatement, which makes one transaction of the script."""
    minutes = max(1, round(pipeline.merge.every_s / 60))
    statements = sql.statements(pipeline.merge_sql(name))
    request = {
        "${Kind}": "${Name}", "Database": "${RedshiftDatabase}", "SecretArn": "${Secret}",
        "Sqls": [_compact(statement).replace("${", "${!") for statement in statements],
    }  # fmt: skip
    # The script once, whichever kind of warehouse: CloudFormation takes templates of 51,200 bytes.
    names = {
        "Kind": {"Fn::If": ["MakesWarehouse", "WorkgroupName", "ClusterIdentifier"]},
        "Name": {"Fn::If": ["MakesWarehouse", ref("AWS::StackName"), ref("RedshiftCluster")]},
        "Secret": existing_or("RedshiftSecretArn", REDSHIFT["SecretArn"]),
    }
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": sub(f"${{AWS::StackName}}-{name}"),
            "State": ref("MergeState"),
            "ScheduleExpression": f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": sub("arn:${AWS::Partition}:scheduler:::aws-sdk:redshiftdata:batchExecuteStatement"),
                "RoleArn": att("MergeRole", "Arn"),
                "Input": {"Fn::Sub": [json.dumps(request), names]},
                "RetryPolicy": {"MaximumRetryAttempts": 0},
            },
        },
    }


def _compact(statement: str) -> str:
    """A statement without its comments and indentation; texts in it stay as they are."""
    from sqlglot import tokenize

    text, end = "", None
    for token in tokenize(statement, read="redshift"):
        apart = " " if end is not None and token.start > end + 1 else ""
        text, end = text + apart + statement[token.start : token.end + 1], token.end
    return text


def _alarm(namespace: str, metric: str, dimension: str, of: str, above: int) -> Resource:
    value = ref(of) if dimension == "FunctionName" else att(of, "QueueName")
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": dimension, "Value": value}],
            "Statistic": "Sum" if metric == "Errors" else "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": above,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": {"Fn::If": ["HasAlarmTopic", [ref("AlarmTopicArn")], ref("AWS::NoValue")]},
        },
    }


# What cannot carry tags, or has them in another form.
_UNTAGGED = {
    "AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::VPCEndpoint",
}  # fmt: skip


def _tag(made: dict[str, Resource], pipeline: Pipeline) -> None:
    for resource in made.values():
        if resource["Type"] not in _UNTAGGED:
            resource["Properties"]["Tags"] = [{"Key": TAG, "Value": pipeline.name}]

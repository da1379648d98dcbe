"""CloudFormation stacks: made, looked at, removed.

In: a name, a template, parameters. Out: a `Deployed`. Where to, and as whom, is what boto3 finds: the caller's
credentials and region, and AWS_ENDPOINT_URL where an emulator takes AWS's place.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.aws_stack.template import TAG
from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient

POLL_INTERVAL_S = 1.0
DEPLOY_TIMEOUT_S = 1_800
# CloudFormation quotas: template body in a request.
TEMPLATE_BYTES_MAX = 51_200
_WORKING = "_IN_PROGRESS"


@dataclass(frozen=True)
class Deployed:
    """A stack that is there."""

    name: str
    outputs: dict[str, str]
    parameters: dict[str, str]

    def output(self, name: str) -> str:
        """Raises UsageError when the stack has no such output: it was not made from this pipeline's template."""
        try:
            return self.outputs[name]
        except KeyError:
            raise UsageError(
                f"the stack {self.name} has no output {name}: it was not made from this pipeline's template"
            ) from None


def _client() -> "CloudFormationClient":
    import boto3

    return boto3.client("cloudformation")


def describe(name: str) -> Deployed:
    """A stack by its name.

    Raises:
        UsageError: there is none, or it is not in working order.
        HarnessError: AWS does not answer.
    """
    found = _described(_client(), name)
    if found is None:
        raise UsageError(f"{name}: there is no such stack in this account and region")
    if not found["StackStatus"].endswith("_COMPLETE") or found["StackStatus"].startswith(("DELETE", "ROLLBACK")):
        raise UsageError(f"{name}: the stack is {found['StackStatus']}")
    return _deployed(found)


def deploy(name: str, template: str, parameters: dict[str, str], pipeline: str) -> Deployed:
    """Make a stack and wait until it is there; every resource that can carries the tags.

    Raises:
        HarnessError: it could not be made (what there was of it is removed again); AWS's own words.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if len(template.encode()) > TEMPLATE_BYTES_MAX:
        raise UsageError(
            f"the template has {len(template.encode()):,} bytes, CloudFormation takes {TEMPLATE_BYTES_MAX:,} in a "
            "call: shorten the merge scripts, or deploy what `harness aws template` prints through a bucket"
        )
    client = _client()
    try:
        client.create_stack(
            StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"], OnFailure="DO_NOTHING",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Tags=[{"Key": TAG, "Value": pipeline}],
        )  # fmt: skip
    except (BotoCoreError, ClientError) as error:
        raise HarnessError(f"the stack {name} cannot be made: {error}") from error
    found = _settled(client, name)
    if found is None or found["StackStatus"] != "CREATE_COMPLETE":
        reasons = _reasons(client, name)
        destroy(name)
        raise HarnessError(f"the stack {name} could not be made: {reasons}")
    return _deployed(found)


def destroy(name: str) -> None:
    """Remove a stack with all that is in it, the bucket's objects first.

    Raises:
        HarnessError: it would not go; AWS's own words.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    client = _client()
    try:
        found = _described(client, name)
        if found is None:
            return
        if bucket := _bucket(client, name):
            _empty(bucket)
        client.delete_stack(StackName=name)
        left = _settled(client, name)
    except (BotoCoreError, ClientError) as error:
        raise HarnessError(f"the stack {name} cannot be removed: {error}") from error
    if left is not None and left["StackStatus"] != "DELETE_COMPLETE":
        raise HarnessError(f"the stack {name} is {left['StackStatus']}: {_reasons(client, name)}")


def resources(name: str) -> dict[str, tuple[str, str]]:
    """Every resource of a stack: its type and its status, by logical id."""
    pages = _client().get_paginator("list_stack_resources").paginate(StackName=name)
    return {
        found["LogicalResourceId"]: (found["ResourceType"], found["ResourceStatus"])
        for page in pages
        for found in page["StackResourceSummaries"]
    }


def _described(client: "CloudFormationClient", name: str) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise HarnessError(f"CloudFormation: {error}") from error
    except BotoCoreError as error:
        raise HarnessError(f"CloudFormation: {error}") from error


def _deployed(found: Any) -> Deployed:
    return Deployed(
        found["StackName"],
        {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
        {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])},
    )


def _settled(client: "CloudFormationClient", name: str, clock: "Callable[[], float]" = time.monotonic) -> Any:
    deadline_s = clock() + DEPLOY_TIMEOUT_S
    while (found := _described(client, name)) is not None and found["StackStatus"].endswith(_WORKING):
        if clock() > deadline_s:
            raise HarnessError(f"the stack {name} is {found['StackStatus']} after {DEPLOY_TIMEOUT_S} s")
        time.sleep(POLL_INTERVAL_S)
    return found


def _reasons(client: "CloudFormationClient", name: str) -> str:
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in client.describe_stack_events(StackName=name)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]
    return "; ".join(failed[-3:]) or "CloudFormation gives no reason"


def _bucket(client: "CloudFormationClient", name: str) -> str | None:
    for found in client.describe_stack_resources(StackName=name)["StackResources"]:
        if found["ResourceType"] == "AWS::S3::Bucket" and found["ResourceStatus"] != "DELETE_COMPLETE":
            return found.get("PhysicalResourceId")
    return None


def _empty(bucket: str) -> None:
    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys: Any = [{"Key": found["Key"]} for found in page.get("Contents", [])]
            if keys:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    except s3.exceptions.NoSuchBucket:
        return
    except ClientError as error:
        raise HarnessError(f"the bucket {bucket} cannot be emptied: {error}") from error

"""The CloudFormation template, deployed on the emulator: what it makes works, and it can be removed.

The emulator has no Redshift Serverless, so the stack gets a warehouse that is there: the stand-in. The schedules are
made, but nothing runs them: the emulator's scheduler does not call the Data API.
"""

import json
import time
from collections.abc import Iterator

import boto3
import pytest

from harness import pipeline as pipelines
from harness.aws import Aws
from harness.aws_stack import stacks
from harness.load.feeder import content
from harness.load.schedule import PlannedFile
from harness.provision import make_tables, register_image
from harness.sql import warehouse
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from tests.end_to_end.conftest import ROOT, Harness

STACK = "nrt-test"
RECORDS = 100
WAIT_S = 120
PIPELINE = pipelines.load(ROOT / "pipeline.toml")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoints]:
    monkeypatch.setenv("NRT_FURTHER_SERVICES", "cloudformation,scheduler,ec2")
    with embedded() as endpoints:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoints.aws_endpoint_url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", endpoints.region)
        yield endpoints


def parameters(endpoints: Endpoints) -> list[str]:
    redshift = endpoints.redshift
    secret = boto3.client("secretsmanager").create_secret(
        Name="warehouse", SecretString=json.dumps({"username": redshift.user, "password": redshift.password})
    )
    values = {
        "MergeState": "DISABLED", "RedshiftHost": redshift.host, "RedshiftPort": redshift.port,
        "RedshiftSecretArn": secret["ARN"], "RedshiftCluster": "stand-in", "RedshiftCaFile": redshift.ca_file,
    }  # fmt: skip
    return [word for key, value in values.items() for word in ("--parameter", f"{key}={value}")]


def staged(endpoints: Endpoints) -> int:
    with warehouse(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stage.orders")
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def test_a_deployed_stack_loads_a_file_and_is_removed(emulator: Endpoints, harness: Harness) -> None:
    aws = Aws(emulator)
    make_tables(PIPELINE, aws)
    register_image(PIPELINE, aws)
    words = ["aws", "deploy", STACK, "--pipeline", str(ROOT / "pipeline.toml"), "--image", PIPELINE.function.image]
    words += parameters(emulator)

    refused = harness(*words)
    assert refused.exit_code == 2
    assert "USD" in refused.stderr
    assert "--yes-this-costs-money" in refused.stderr
    assert aws.s3.list_buckets()["Buckets"] == []

    made = harness(*words, "--yes-this-costs-money", "--json")
    assert made.exit_code == 0, made.stderr
    outputs = made.json["outputs"]
    assert harness("aws", "show", STACK, "--json").json["outputs"] == outputs
    found = stacks.resources(STACK)
    assert {status for _, status in found.values()} == {"CREATE_COMPLETE"}
    wanted = json.loads((ROOT / "deploy" / "pipeline.json").read_text())["Resources"]
    assert {name for name in wanted if "Condition" not in wanted[name]} == set(found)

    file = PlannedFile(0, "orders", "orders/dt=2026-01-01/one.csv.gz", 0.0, RECORDS, "one.csv.gz")
    aws.s3.put_object(Bucket=outputs["Bucket"], Key=file.key, Body=content(file, PIPELINE.dataset("orders"), 1))
    deadline_s = time.monotonic() + WAIT_S
    while staged(emulator) < RECORDS:
        assert time.monotonic() < deadline_s
        time.sleep(0.2)

    assert harness("aws", "destroy", STACK).exit_code == 0
    assert aws.s3.list_buckets()["Buckets"] == []
    assert aws.sqs.list_queues().get("QueueUrls", []) == []
    # Functions are not looked at: the emulator leaves some of them (docs/aws.md).
    gone = harness("aws", "show", STACK)
    assert gone.exit_code == 2
    assert f"{STACK}: there is no such stack" in gone.stderr

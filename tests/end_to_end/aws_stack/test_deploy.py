"""The CloudFormation template, deployed on the emulator: what it makes works, scenarios run on it, and it goes again.

The emulator has no Redshift Serverless, so the stack gets a warehouse that is there: the stand-in, which also serves
the Data API. The schedules are made, but nothing runs them: the emulator's scheduler does not call it, the harness
does.
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
from tests.end_to_end.conftest import ROOT, Finished, Harness

STACK = "nrt-test"
RECORDS = 100
WAIT_S = 120
FILES = 20
RUN = (
    "run", "smoke", "--stack", "aws", "--pipeline", str(ROOT / "pipeline.toml"), "--rate", "240/min",
    "--duration", "5s", "--records", str(RECORDS), "--time-scale", "100", "--json",
)  # fmt: skip
PIPELINE = pipelines.load(ROOT / "pipeline.toml")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoints]:
    monkeypatch.setenv("NRT_FURTHER_SERVICES", "cloudformation,scheduler,ec2")
    with embedded() as endpoints:
        assert endpoints.data_api_url is not None
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoints.aws_endpoint_url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", endpoints.data_api_url)
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
        "RedshiftHost": redshift.host, "RedshiftPort": redshift.port,
        "RedshiftSecretArn": secret["ARN"], "RedshiftCluster": "stand-in", "RedshiftCaFile": redshift.ca_file,
    }  # fmt: skip
    return [word for key, value in values.items() for word in ("--parameter", f"{key}={value}")]


def staged(endpoints: Endpoints) -> int:
    with warehouse(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stage.orders")
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def assert_all_arrived(ran: Finished) -> None:
    """What does not depend on how busy this machine is."""
    assert ran.exit_code in (0, 1), ran.stderr
    verdict, checks = ran.json, {check["name"]: check for check in ran.json["checks"]}
    assert verdict["records"]["merged"] == verdict["records"]["expected"] == FILES * RECORDS
    for name in (
        "nothing_lost", "nothing_doubled", "nothing_altered", "nothing_unexpected", "dead_letters", "run_complete",
        "lineage", "functions",
    ):  # fmt: skip
        assert checks[name]["verdict"] == "pass", checks[name]
    # what CloudWatch Logs, the queue and the merges have told
    for stage in ("notify", "queue", "handler", "merge_wait", "merge"):
        assert verdict["latency_s"]["stages"][stage] is not None, stage


@pytest.mark.slow
def test_a_stack_is_made_for_a_run_and_removed_after_it(emulator: Endpoints, harness: Harness) -> None:
    aws = Aws(emulator)
    register_image(PIPELINE, aws)
    words = [*RUN, "--image", PIPELINE.function.image, *parameters(emulator)]
    refused = harness(*words)
    assert refused.exit_code == 2
    assert "say --yes-this-costs-money to run it" in refused.stderr
    assert aws.s3.list_buckets()["Buckets"] == []
    assert_all_arrived(harness(*words, "--yes-this-costs-money"))
    assert aws.s3.list_buckets()["Buckets"] == []
    assert aws.sqs.list_queues().get("QueueUrls", []) == []


def test_options_that_need_aws_are_refused_elsewhere(harness: Harness) -> None:
    refused = harness("run", "smoke", "--adopt", STACK)
    assert refused.exit_code == 2
    assert "need --stack aws" in refused.stderr
    refused = harness("run", "warehouse_outage", "--stack", "aws", "--adopt", STACK,
                      "--pipeline", str(ROOT / "pipeline.toml"))  # fmt: skip
    assert refused.exit_code == 2
    assert "its faults are for stacks of the harness's own" in refused.stderr


def test_a_deployed_stack_loads_a_file_and_is_removed(emulator: Endpoints, harness: Harness) -> None:
    aws = Aws(emulator)
    make_tables(PIPELINE, aws)
    register_image(PIPELINE, aws)
    words = ["aws", "deploy", STACK, "--pipeline", str(ROOT / "pipeline.toml"), "--image", PIPELINE.function.image]
    words += [*parameters(emulator), "--parameter", "MergeState=DISABLED"]

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

    refused = harness(*RUN, "--adopt", STACK)
    assert refused.exit_code == 2
    assert "USD" in refused.stderr
    assert "say --yes-this-costs-money to run it" in refused.stderr
    refused = harness(*RUN, "--adopt", STACK, "--yes-this-costs-money")
    assert refused.exit_code == 2
    assert f"the stack {STACK} is not empty ({RECORDS} rows in stage.orders)" in refused.stderr
    assert staged(emulator) == RECORDS
    assert_all_arrived(harness(*RUN, "--adopt", STACK, "--yes-this-costs-money", "--empty-tables", "--out", "adopted"))

    assert harness("aws", "destroy", STACK).exit_code == 0
    assert aws.s3.list_buckets()["Buckets"] == []
    assert aws.sqs.list_queues().get("QueueUrls", []) == []
    assert boto3.client("lambda").list_functions()["Functions"] == []
    gone = harness("aws", "show", STACK)
    assert gone.exit_code == 2
    assert f"{STACK}: there is no such stack" in gone.stderr

"""The CloudFormation template: valid, current, tagged, and saying what pipeline.toml says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import command_aws
from harness import pipeline as pipelines
from harness.aws_stack import template as templates
from harness.aws_stack.stacks import TEMPLATE_BYTES_MAX
from harness.errors import UsageError

ROOT = Path(__file__).parents[3]
PIPELINE = pipelines.load(ROOT / "pipeline.toml")
TEMPLATE: dict[str, Any] = templates.template(PIPELINE)
EXISTING = ("RedshiftHost=warehouse.example", "RedshiftSecretArn=arn", "RedshiftCluster=one")


def lint(path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), path], capture_output=True, text=True, check=False
    )


def test_the_stored_template_is_the_one_that_pipeline_toml_makes() -> None:
    text = (ROOT / "deploy" / "pipeline.json").read_text()
    assert text == templates.as_text(PIPELINE), "run: harness aws template > deploy/pipeline.json"


def test_cfn_lint_has_nothing_to_say_and_would_have(tmp_path: Path) -> None:
    done = lint(ROOT / "deploy" / "pipeline.json")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    broken = templates.template(PIPELINE)
    broken["Resources"]["OrdersFunction"]["Properties"]["Timeout"] = 901
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert "901 is greater than the maximum of 900" in lint(tmp_path / "broken.json").stdout


def test_it_fits_into_one_call() -> None:
    assert len(json.dumps(TEMPLATE, separators=(",", ":")).encode()) < TEMPLATE_BYTES_MAX


def test_everything_that_can_is_tagged() -> None:
    untagged = {
        found["Type"]
        for found in TEMPLATE["Resources"].values()
        if {"Key": "nrt-harness", "Value": "default"} not in found["Properties"].get("Tags", [])
    }
    assert untagged == {
        "AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::VPCEndpoint",
    }  # fmt: skip


def test_settings_of_the_pipeline_are_those_of_the_stack() -> None:
    for name in PIPELINE.types:
        base, queue, function = templates.logical(name), PIPELINE.queue_of(name), PIPELINE.function_of(name)
        made = {kind: TEMPLATE["Resources"][f"{base}{kind}"]["Properties"] for kind in ("Queue", "Function", "Mapping")}
        assert made["Queue"]["VisibilityTimeout"] == queue.visibility_timeout_s
        assert made["Queue"]["RedrivePolicy"]["maxReceiveCount"] == queue.max_receive_count
        assert made["Function"]["Timeout"] == function.timeout_s
        assert made["Function"]["MemorySize"] == function.memory_mb
        assert made["Mapping"]["BatchSize"] == queue.batch_size
        assert made["Mapping"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        schedule = TEMPLATE["Resources"][f"{base}Merge"]["Properties"]
        assert schedule["ScheduleExpression"] == "rate(15 minutes)"
        body, names = schedule["Target"]["Input"]["Fn::Sub"]
        assert len(json.loads(body)["Sqls"]) == len(templates.sql.statements(PIPELINE.merge_sql(name)))
        assert set(names) == {"Kind", "Name", "Secret"}
        for alarm in ("DeadLetterAlarm", "AgeAlarm", "ErrorAlarm"):
            assert f"{base}{alarm}" in TEMPLATE["Resources"]


def test_a_statement_loses_comments_but_no_text() -> None:
    statement = "SELECT  'two  blanks -- kept',\n    a.b -- gone\nFROM t"
    assert templates._compact(statement) == "SELECT 'two  blanks -- kept', a.b FROM t"


def test_without_agreement_the_estimate_is_shown_and_nothing_is_made() -> None:
    asked = command_aws.wanted("mine", ROOT / "pipeline.toml", "image", EXISTING)
    with pytest.raises(UsageError, match=r"about \d+\.\d\d USD[\s\S]*a model[\s\S]*--yes-this-costs-money"):
        command_aws.deploy(asked, "us-east-1", agreed=False, as_json=False)


def test_a_warehouse_of_its_own_is_in_the_estimate() -> None:
    own = command_aws.wanted("mine", ROOT / "pipeline.toml", "image", ("VpcId=vpc-1",))
    there = command_aws.wanted("mine", ROOT / "pipeline.toml", "image", EXISTING)
    assert command_aws.estimate(own, "us-east-1").of("Redshift") > 0
    assert command_aws.estimate(there, "us-east-1").of("Redshift") == 0


@pytest.mark.parametrize(
    ("parameters", "words"), [((), "needs --parameter VpcId="), (("nonsense",), "'nonsense' is not KEY=VALUE")]
)
def test_what_is_missing_is_said(parameters: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        command_aws.wanted("mine", ROOT / "pipeline.toml", "image", parameters)

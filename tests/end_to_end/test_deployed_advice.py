"""Advice reads what is really on a stack: nothing to say of what we make, and of each thing that somebody changed."""

import json
from pathlib import Path

import pytest

from harness.aws import Aws
from harness.provision import provision
from harness.provisioned_advice import advise_on, deployed_of
from harness.stack.embedded import embedded
from harness.timing import scaled
from tests.mutants.trial import TYPE, small_pipeline


@pytest.mark.slow
def test_what_somebody_changed_by_hand_is_found(tmp_path: Path) -> None:
    pipeline = small_pipeline(queue={"visibility_timeout_s": 60})
    with embedded(tmp_path) as endpoints:
        aws = Aws(endpoints)
        made = provision(pipeline, scaled(pipeline, 1.0), aws).types[TYPE]
        assert advise_on(pipeline, deployed_of(pipeline, aws)) == []

        aws.functions.update_event_source_mapping(UUID=made.mapping_id, FunctionResponseTypes=[], Enabled=False)
        aws.sqs.set_queue_attributes(
            QueueUrl=made.queue_url, Attributes={"RedrivePolicy": "", "VisibilityTimeout": "30"}
        )
        rules = [{"Name": "prefix", "Value": "type=orders/"}]
        notification = {
            "QueueArn": made.queue_arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": rules}},
        }
        aws.s3.put_bucket_notification_configuration(
            Bucket=pipeline.bucket,
            NotificationConfiguration={"QueueConfigurations": [notification]},  # type: ignore[list-item]
        )
        said = {advice.setting: advice.text for advice in advise_on(pipeline, deployed_of(pipeline, aws))}
    assert set(said) == {
        f"types.{TYPE}: {what}"
        for what in (
            "RedrivePolicy", "VisibilityTimeout", "FunctionResponseTypes", "event source mapping",
            "notification filter",
        )
    }, json.dumps(said, indent=1)  # fmt: skip
    assert "can never match" in said[f"types.{TYPE}: notification filter"]

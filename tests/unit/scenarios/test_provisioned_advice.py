"""Advice on what is deployed: each rule speaks up where it should, and is silent on what we deploy ourselves."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import pipeline as pipelines
from harness.provisioned_advice import Deployed, advise_on

PIPELINE = pipelines.load(Path(__file__).parents[3] / "pipeline.toml")
GOOD = Deployed(
    type="orders", visibility_timeout_s=360, retention_s=345_600, dead_letter_queue="arn:aws:sqs:::orders-dlq",
    dead_letter_retention_s=1_209_600, function_timeout_s=60, batch_size=1, batch_window_s=0,
    takes_partial_responses=True, mapping_is_enabled=True, filters=("orders/",),
)  # fmt: skip


def test_what_we_deploy_needs_no_advice() -> None:
    assert advise_on(PIPELINE, [GOOD]) == []


@pytest.mark.parametrize(
    ("changes", "setting", "says"),
    [
        ({"dead_letter_queue": None, "dead_letter_retention_s": None}, "RedrivePolicy", "has no dead letter queue"),
        ({"dead_letter_retention_s": 345_600}, "MessageRetentionPeriod", "345600 s is not longer"),
        ({"visibility_timeout_s": 359}, "VisibilityTimeout", "359 s is less than six times"),
        ({"batch_window_s": 10, "batch_size": 20}, "VisibilityTimeout", "370 s"),
        ({"takes_partial_responses": False, "batch_size": 10}, "FunctionResponseTypes", "batches of up to 10 without"),
        ({"takes_partial_responses": False}, "FunctionResponseTypes", "taken for success"),
        ({"mapping_is_enabled": False}, "event source mapping", "nobody polls"),
        ({"filters": ()}, "notification filter", "files under orders/ are never loaded"),
        ({"filters": ("type=orders/",)}, "notification filter", "can never match"),
        ({"filters": ("order/",)}, "notification filter", "does not match the type's files"),
        ({"filters": ("",)}, "notification filter", "also lets through"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_asks_for_trouble_is_named(changes: dict[str, Any], setting: str, says: str) -> None:
    found = [advice for advice in advise_on(PIPELINE, [replace(GOOD, **changes)]) if setting in advice.setting]
    assert found
    assert says in found[0].text
    assert found[0].source
    assert found[0].setting.startswith("types.orders: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"dead_letter_retention_s": 345_601},
        {"batch_window_s": 10, "visibility_timeout_s": 370},
        {"batch_size": 10},
    ],
    ids=str,
)
def test_what_is_just_enough_is_left_alone(changes: dict[str, Any]) -> None:
    assert advise_on(PIPELINE, [replace(GOOD, **changes)]) == []

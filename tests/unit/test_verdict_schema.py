"""verdict.json is what its schema says, to the last key."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from harness.checks import default_checks
from harness.verdict_schema import VerdictFile, json_schema
from tests.unit.run_fixtures import Run, good_run

GOOD = good_run()
PUBLISHED = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "verdict.schema.json").read_text())
BATCH = GOOD.without("invocation").supposing(design="batch")


def _verdict(run: Run) -> dict[str, Any]:
    return dict(json.loads(json.dumps(run.judged_by(*default_checks()).to_json())))


@pytest.mark.parametrize(
    "run",
    [GOOD, GOOD.without("merged"), GOOD.without("load_started").without("uploaded"), Run(GOOD.facts, (), ("gone",)),
     BATCH, GOOD.without("accounted", index=1), GOOD.changing("accounted", {"index": 0}, missing=3, merged=97)],
    ids=["pass", "no merges", "no load", "no ledger", "batch", "not counted", "lost"],
)  # fmt: skip
def test_every_verdict_has_the_keys_of_the_schema_and_no_other(run: Run) -> None:
    verdict = _verdict(run)
    VerdictFile.model_validate_json(json.dumps(verdict))
    jsonschema.validate(verdict, PUBLISHED)


@pytest.mark.parametrize("change", [{"verdict": "maybe"}, {"files": {}}, {"cost": "dear"}, {"new": 1}])
def test_another_verdict_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VerdictFile.model_validate_json(json.dumps(_verdict(GOOD) | change))


def test_readers_are_promised_that_keys_may_be_added_but_not_taken_away() -> None:
    verdict = _verdict(GOOD)
    jsonschema.validate(verdict | {"new": 1}, json_schema())
    del verdict["records"]
    with pytest.raises(jsonschema.ValidationError, match="'records' is a required property"):
        jsonschema.validate(verdict, json_schema())

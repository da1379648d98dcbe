"""Dead letters through people's eyes: a poison run leaves them, and they go back after the fix."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from generators.files import encode
from generators.records import make_table
from harness import sql
from harness.aws import Aws
from harness.checks import Verdict
from harness.cli import cli
from harness.load.feeder import due
from harness.load.schedule import PlannedFile
from harness.local_stack import STATUS_FILE
from harness.stack.embedded import embedded
from harness.stack.endpoints import Endpoints
from tests.mutants.trial import RECORDS, ROOT, TYPE, run_trial, small_pipeline

RETURN_TIMEOUT_S = 150
LOOK_EVERY_S = 0.5


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoints]:
    """A stack that is up in the test's own directory."""
    monkeypatch.chdir(tmp_path)
    with embedded(tmp_path) as endpoints:
        STATUS_FILE.parent.mkdir()
        STATUS_FILE.write_text(json.dumps(endpoints.to_json()))
        yield endpoints


@pytest.fixture
def dlq(tmp_path: Path) -> Callable[..., Any]:
    """`harness dlq COMMAND … --json` on the trials' pipeline."""
    text = (ROOT / "pipeline.toml").read_text().replace('name = "default"', 'name = "mutants"')
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(text.replace('"handler/sql/', f'"{ROOT}/handler/sql/'))

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(
            cli, ["dlq", *arguments, "--pipeline", str(pipeline), "--type", TYPE, "--json"], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def _staged(endpoints: Endpoints, key: str) -> int:
    with sql.backend(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM stage.{TYPE} WHERE source_file = %s", (key,))
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def _mend(endpoints: Endpoints, key: str) -> None:
    """Put a good file in the broken one's place, without an event of its own."""
    aws = Aws(endpoints)
    aws.s3.put_bucket_notification_configuration(Bucket="landing", NotificationConfiguration={})
    dataset = small_pipeline().dataset(TYPE)
    file = PlannedFile(99, TYPE, key, 0.0, RECORDS, "mended")
    table = make_table(dataset, seed=1, file_index=99, records=RECORDS, at=due(file))
    aws.s3.put_object(Bucket="landing", Key=key, Body=encode(table, dataset.format))


def test_dead_letters_are_listed_and_go_back_after_the_fix(
    stack: Endpoints, dlq: Callable[..., Any], tmp_path: Path
) -> None:
    judgement = run_trial("poison", small_pipeline(), stack, tmp_path / "run")
    assert judgement.verdict is Verdict.PASS, judgement.results
    letters = dlq("list")
    rejects = {file.key for file in judgement.evidence.files if file.is_reject}
    assert {key for letter in letters for key in letter["keys"]} == rejects
    mended, *broken = sorted(rejects)

    shown = dlq("show", mended)
    assert shown["body"]["Records"][0]["eventSource"] == "aws:s3"
    assert len(dlq("redrive", "--dry-run")) == len(rejects)
    assert len(dlq("list")) == len(rejects)

    _mend(stack, mended)
    moved = dlq("redrive", mended, broken[0], "--rate", "10/s")
    assert {key for letter in moved for key in letter["keys"]} == {mended, broken[0]}
    deadline = time.monotonic() + RETURN_TIMEOUT_S
    while time.monotonic() < deadline:
        keys = sorted(key for letter in dlq("list") for key in letter["keys"])
        if keys == sorted(broken) and _staged(stack, mended):
            break
        time.sleep(LOOK_EVERY_S)
    assert keys == sorted(broken), "what is still broken comes back"
    assert _staged(stack, mended) == RECORDS, "what was mended is loaded once"

"""A run that was killed leaves functions at work on a stack that stays: the next one begins when they are done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.aws import Aws
from harness.stack.endpoints import endpoints_from_json
from tests.end_to_end.conftest import Harness

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LOAD = ("--rate", "240/min", "--records", "200", "--duration")
# The next run has the first few files only: of the others nobody has delivered anything to it.
FILES_KILLED, FILES = 12, 4
PATIENCE_S = 120
# What it stages, it stages some seconds after it was asked to.
SLOW = """
import time

from handler.app import handler as load


def handler(event, context):
    time.sleep(20)
    return load(event, context)
"""


@pytest.fixture
def slow_pipeline(quick_pipeline: Path) -> Path:
    """The quick pipeline with a handler that takes its time."""
    quick_pipeline.with_name("slow.py").write_text(SLOW)
    text = quick_pipeline.read_text()
    assert '"handler.app.handler"' in text
    quick_pipeline.write_text(text.replace('"handler.app.handler"', '"slow.handler"'))
    return quick_pipeline


def taken(aws: Aws) -> int:
    """How many messages functions are at."""
    urls = [url for url in aws.sqs.list_queues()["QueueUrls"] if not url.endswith("-dlq")]
    name = "ApproximateNumberOfMessagesNotVisible"
    return sum(
        int(aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]) for url in urls
    )


def test_what_functions_of_a_killed_run_still_load_is_not_in_the_next_ones_tables(
    harness: Harness, tmp_path: Path, slow_pipeline: Path
) -> None:
    up = harness("up", "--pipeline", slow_pipeline, "--json")
    assert up.exit_code == 0, up.stderr
    try:
        aws = Aws(endpoints_from_json(up.json))
        killed = subprocess.Popen(
            [sys.executable, "-m", "harness", "run", "smoke", "--pipeline", slow_pipeline, *LOAD, "3s"],
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline_s = time.monotonic() + PATIENCE_S
        while taken(aws) < FILES_KILLED:
            assert killed.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        run = harness("run", "smoke", "--pipeline", slow_pipeline, *LOAD, "1s", "--json")
        aws.sqs.close()
    finally:
        harness("down")
    assert run.json["records"]["unexpected"] == run.json["records"]["duplicated"] == 0
    assert run.json["records"]["merged"] == run.json["records"]["expected"] == FILES * 200
    assert "waiting for functions of an earlier run" in run.stderr

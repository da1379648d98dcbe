"""docs/how-to/plugin.md: the plugin in a LocalStack that this project did not set up."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.localstack.metrics import PUBLISH_EVERY_S
from harness.stack.emulator import emulator_python
from harness.stack.processes import LOOPBACK, free_port
from tests.contract.localstack.conftest import ROLE, ROOT, Aws, archive, eventually

HOW_TO = ROOT / "docs" / "how-to" / "plugin.md"
UV = Path(sys.prefix) / "bin" / "uv"
FUNCTION = "def handler(event, context):\n    return [record['body'] for record in event.get('Records', [])]\n"


def _settings(python: str, port: int) -> dict[str, str]:
    """The settings that the page says, with this machine's own interpreter and port."""
    lines = [line.strip() for line in HOW_TO.read_text().splitlines() if line.startswith("    ") and "=" in line]
    found = dict(line.split("=", 1) for line in lines if " " not in line)
    assert {"LAMBDA_RUNTIME_EXECUTOR", "NRT_SQS_POLLER", "NRT_HANDLER_PYTHON", "GATEWAY_LISTEN"} <= set(found)
    return found | {"NRT_HANDLER_PYTHON": python, "GATEWAY_LISTEN": f"{LOOPBACK}:{port}"}


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """An environment with LocalStack's packages, and this project installed as the page says; the interpreter of it."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([UV, "venv", "-q", "--python", emulator_python(), tmp_path / "venv"], check=True)
    install = [UV, "pip", "install", "-q", "--python", python, "--offline", "--no-deps"]
    subprocess.run([*install, "-r", ROOT / "requirements" / "emulator.txt"], check=True)
    subprocess.run([*install, "--no-build-isolation", ROOT], check=True)
    return python


@pytest.mark.slow
@pytest.mark.embedded_only
def test_the_plugin_works_in_a_localstack_of_its_own(stock: Path, tmp_path: Path) -> None:
    with _localstack(stock, tmp_path) as (aws, _):
        _function(aws)
        answer = aws.functions.invoke(FunctionName="alone", Payload=json.dumps({"Records": [{"body": "x"}]}))
        assert json.load(answer["Payload"]) == ["x"]
        url = aws.sqs.create_queue(QueueName="alone")["QueueUrl"]
        arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        aws.functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="alone", BatchSize=1)
        for number in range(20):
            aws.sqs.send_message(QueueUrl=url, MessageBody=str(number))
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        eventually(
            lambda: (
                set(aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()) == {"0"}
            )
        )
        assert "SQS event source mappings scale as AWS's do" in (tmp_path / "log").read_text()


@pytest.mark.slow
@pytest.mark.embedded_only
def test_it_ends_when_told_to_just_before_its_metrics_are_published(tmp_path: Path) -> None:
    """CloudWatch was loaded for them after LocalStack had stopped it, and kept the process for ever."""
    with _localstack(emulator_python(), tmp_path) as (aws, process):
        _function(aws)
        aws.functions.invoke(FunctionName="alone", Payload=b"{}")
        time.sleep(PUBLISH_EVERY_S - 1)  # stopping takes a second or more
        process.terminate()
        assert process.wait(60) == 0


@contextmanager
def _localstack(python: Path, directory: Path) -> Iterator[tuple[Aws, subprocess.Popen[bytes]]]:
    """LocalStack as the page starts it; its log is in the directory."""
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "FILESYSTEM_ROOT": str(directory / "filesystem")}
    environment |= _settings(sys.executable, port) | {"SERVICES": "lambda,sqs,s3,iam,sts,logs,cloudwatch"}
    environment |= {"DISABLE_EVENTS": "1", "SKIP_SSL_CERT_DOWNLOAD": "1"}  # offline, its shutdown stalls on them
    aws = Aws(f"http://{LOOPBACK}:{port}")
    with (directory / "log").open("wb") as log:
        command = [python, "-m", "localstack.runtime.main"]
        process = subprocess.Popen(command, env=environment, cwd=directory, stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(aws.url) or process.poll() is not None, 120)
        assert process.poll() is None, (directory / "log").read_text()
        yield aws, process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _function(aws: Aws) -> None:
    aws.functions.create_function(
        FunctionName="alone", Role=ROLE, Code={"ZipFile": archive(FUNCTION)}, Runtime="python3.12",
        Handler="probe.handler", Timeout=20,
    )  # fmt: skip
    eventually(lambda: aws.functions.get_function(FunctionName="alone")["Configuration"]["State"] == "Active")


def _answers(url: str | None) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_localstack/health", timeout=5):
            return True
    except OSError:
        return False

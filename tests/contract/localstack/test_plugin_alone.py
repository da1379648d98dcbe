"""docs/how-to/plugin.md: the plugin in a LocalStack that this project did not set up."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

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
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "FILESYSTEM_ROOT": str(tmp_path / "filesystem")}
    environment |= _settings(sys.executable, port) | {"SERVICES": "lambda,sqs,s3,iam,sts,logs,cloudwatch"}
    aws = Aws(f"http://{LOOPBACK}:{port}")
    with (tmp_path / "log").open("wb") as log:
        command = [stock, "-m", "localstack.runtime.main"]
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(aws.url) or process.poll() is not None, 120)
        assert process.poll() is None, (tmp_path / "log").read_text()
        code = {"ZipFile": archive(FUNCTION)}
        aws.functions.create_function(
            FunctionName="alone", Role=ROLE, Code=code, Runtime="python3.12", Handler="probe.handler", Timeout=20
        )
        eventually(lambda: aws.functions.get_function(FunctionName="alone")["Configuration"]["State"] == "Active")
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
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str | None) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_localstack/health", timeout=5):
            return True
    except OSError:
        return False

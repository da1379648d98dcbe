"""An endpoint that speaks AWS's API, and functions and queues made on it, for contract tests of Lambda and SQS.

The embedded emulator by default; with NRT_CONTRACT_ENDPOINT another: `ministack` from its own environment, a URL, or
`aws` (with NRT_CONTRACT_ROLE naming the functions' role and credentials in the environment). With
NRT_FIDELITY=<column> the results go into docs/fidelity.md; with NRT_FIDELITY_EXPECT=<column> they have to be those that
the page has in that column already.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from base64 import b64decode
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.config import Config

from harness.bench import ministack
from harness.stack import emulator
from harness.stack.processes import LOOPBACK, free_port
from tests.contract.localstack import fidelity

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "fidelity.md"
RESULTS = pytest.StashKey[dict[fidelity.Behaviour, str | None]]()
HANDLERS = Path(__file__).parent / "handlers"
ROLE = os.environ.get("NRT_CONTRACT_ROLE", "arn:aws:iam::000000000000:role/contract")
REGION = "us-east-1"
EMBEDDED = "embedded"
MINISTACK = "ministack"
TARGET = os.environ.get("NRT_CONTRACT_ENDPOINT", EMBEDDED)
IMAGE = "probe:1"
RUNTIME = "python3.12"
QUEUE_METRICS_EVERY_S = "1"
"""As AWS, LocalStack publishes once a minute what a queue's state is; tests do not wait so long."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "documented(page): the page of AWS's documentation that the test follows")
    config.addinivalue_line("markers", "embedded_only: cannot run against another endpoint, with the reason")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if column := os.environ.get("NRT_FIDELITY"):
        fidelity.write(PAGE, column, session.stash.get(RESULTS, {}))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the page says that an endpoint does not show a behaviour, its test has to fail."""
    if column := os.environ.get("NRT_FIDELITY_EXPECT"):
        _, rows = fidelity.read(PAGE)
        for item in items:
            page = item.get_closest_marker("documented")
            if page and rows.get(behaviour_of(item), {}).get(column) == fidelity.NO:
                item.add_marker(pytest.mark.xfail(strict=True, reason=f"{column} does not, says docs/fidelity.md"))
                item.stash[HASTY] = True


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A slow test that is left out is still one of the page's."""
    for item in items:
        if item.get_closest_marker("documented") and item.get_closest_marker("slow"):
            item.session.stash.setdefault(RESULTS, {})[behaviour_of(item)] = None


def behaviour_of(item: pytest.Item) -> fidelity.Behaviour:
    """The line of docs/fidelity.md that a documented test writes."""
    page = item.get_closest_marker("documented")
    assert page is not None
    return fidelity.Behaviour(fidelity.area_of(item.path), fidelity.words(item.name), page.args[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    page = item.get_closest_marker("documented")
    if page and (report.when == "call" or (report.when == "setup" and report.skipped)):
        item.session.stash.setdefault(RESULTS, {})[behaviour_of(item)] = fidelity.verdict(report)
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    if TARGET != EMBEDDED and item.get_closest_marker("embedded_only"):
        pytest.skip("only with the embedded emulator")
    usual_s = IN_PROCESS_S if TARGET == MINISTACK else float("inf")
    Patience.seconds_max = HASTY_S if HASTY in item.stash else usual_s


HASTY = pytest.StashKey[bool]()
HASTY_S = 1.5
IN_PROCESS_S = 10.0


class Patience:
    """How long `eventually` waits at most: not long for what is known not to come, nor for an emulator on this machine
    that has nothing to start."""

    seconds_max = float("inf")


@dataclass(frozen=True)
class Aws:
    """Clients of one endpoint."""

    url: str | None
    directory: Path | None = None

    def client(self, service: str) -> Any:
        """A boto3 client without retries."""
        settings: dict[str, Any] = {}
        if self.url:
            settings = {"endpoint_url": self.url, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        retries = Config(retries={"max_attempts": 0}, read_timeout=120, s3={"addressing_style": "path"})
        return boto3.client(service, region_name=REGION, config=retries, **settings)

    @cached_property
    def functions(self) -> Any:
        return self.client("lambda")

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def logs(self) -> Any:
        return self.client("logs")

    @cached_property
    def metrics(self) -> Any:
        return self.client("cloudwatch")


@contextlib.contextmanager
def embedded(pythons: dict[str, str] | None = None) -> Iterator[Aws]:
    """An embedded emulator of its own; `pythons` names further interpreters by runtime."""
    directory = Path(tempfile.mkdtemp(prefix="nrt-contract-"))
    port = free_port()
    images = directory / "images.json"
    image = {"python": sys.executable, "working_directory": str(HANDLERS), "command": ["probe.handler"]}
    images.write_text(json.dumps({IMAGE: image}))
    (directory / "logs").mkdir()
    runtimes = directory / "runtimes.json"
    runtimes.write_text(json.dumps(_runtimes() | (pythons or {})))
    settings = {"NRT_RUNTIMES": str(runtimes), "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": QUEUE_METRICS_EVERY_S}
    with mock.patch.dict(os.environ, settings):
        process = emulator.start(directory / "emulator", directory / "logs", port, images, directory / "trace.jsonl")
    try:
        emulator.wait(process, port)
        yield Aws(f"http://{LOOPBACK}:{port}", directory)
    finally:
        process.end(signal.SIGTERM, grace_s=15)
        shutil.rmtree(directory, ignore_errors=True)


def other_pythons() -> dict[str, str]:
    """Interpreters of this machine by runtime, but for the handlers' own and the one that the tests name."""
    found: dict[str, str] = {}
    for minor in set(range(10, 20)) - {sys.version_info[1], int(RUNTIME.partition(".")[2])}:
        places = [shutil.which(f"python3.{minor}"), *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3")]
        for place in filter(None, places):
            asked = subprocess.run(
                [place, "-c", "import sys; print(sys.version_info[1])"], capture_output=True, text=True
            )
            if asked.stdout.strip() == str(minor):
                found[f"python3.{minor}"] = str(place)
    return found


def _runtimes() -> dict[str, list[str]]:
    """Every other Python, and a runtime of another language's name, with a runtime client of a few lines."""
    client = str(HANDLERS / "minimal_client.py")
    return {name: [python, client] for name, python in ({"ruby3.4": sys.executable} | other_pythons()).items()}


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """The endpoint under test."""
    if TARGET == EMBEDDED:
        with embedded() as emulated:
            yield emulated
    elif TARGET == MINISTACK:
        with ministack.running() as url:
            yield Aws(url)
    else:
        yield Aws(None if TARGET == "aws" else TARGET)


def eventually(question: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Ask until the answer is truthy; fail when it never is."""
    deadline = time.monotonic() + min(timeout_s, Patience.seconds_max)
    while not (answer := question()):
        assert time.monotonic() < deadline, f"never came true: {question}"
        time.sleep(0.02)
    return answer


def archive(source: str, *paths: str) -> bytes:
    """A deployment package with the same text in every path, `probe.py` by default."""
    return package(dict.fromkeys(paths or ("probe.py",), source))


def package(files: dict[str, str]) -> bytes:
    """A deployment package of these texts by path; what has no suffix can be executed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o644 if "." in path else 0o755) << 16
            zipped.writestr(entry, text)
    return content.getvalue()


@dataclass(frozen=True)
class Result:
    """An answer to Invoke."""

    payload: Any
    error: str | None
    log: str
    version: str


@dataclass
class Function:
    """A function on the endpoint."""

    aws: Aws
    name: str
    arn: str

    def invoke(self, qualifier: str | None = None, **event: Any) -> Result:
        """Invoke synchronously with `event`; see handlers/probe.py for what `do` may be."""
        options = {"Qualifier": qualifier} if qualifier else {}
        answer = self.aws.functions.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail", **options)
        body = answer["Payload"].read()
        log = b64decode(answer.get("LogResult", "")).decode()
        return Result(json.loads(body) if body else None, answer.get("FunctionError"), log, answer["ExecutedVersion"])

    def configure(self, **settings: Any) -> None:
        """Change the configuration and wait until it holds."""
        self.aws.functions.update_function_configuration(FunctionName=self.name, **settings)
        self.wait("LastUpdateStatus", "Successful")

    def wait(self, field: str, value: str, qualifier: str = "$LATEST") -> None:
        """Wait until the configuration says so: `State` is `Active`, or `LastUpdateStatus` is `Successful`."""
        which = {"FunctionName": self.name, "Qualifier": qualifier}
        eventually(lambda: self.aws.functions.get_function(**which)["Configuration"].get(field) == value, 60)

    def logged(self) -> list[str]:
        """Every log line so far."""
        with contextlib.suppress(self.aws.logs.exceptions.ResourceNotFoundException):
            answer = self.aws.logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")
            return [event["message"] for event in answer["events"]]
        return []


def new_function(
    aws: Aws, source: str | None = None, image: str | None = None, files: dict[str, str] | None = None, **settings: Any
) -> Function:
    """A function of this source text (the probe by default), ready to be invoked."""
    name = f"contract-{uuid.uuid4().hex[:12]}"
    code: dict[str, Any]
    if image:
        code, packaging = {"ImageUri": image}, {"PackageType": "Image"}
    else:
        code = {"ZipFile": package(files or {"probe.py": source or (HANDLERS / "probe.py").read_text()})}
        packaging = {"Runtime": RUNTIME, "Handler": "probe.handler"}
    settings = {"Timeout": 10, "MemorySize": 256} | packaging | settings
    answer = aws.functions.create_function(FunctionName=name, Role=ROLE, Code=code, **settings)
    function = Function(aws, name, answer["FunctionArn"])
    function.wait("State", "Active")
    return function


@pytest.fixture
def make_function(aws: Aws) -> Iterator[Callable[..., Function]]:
    """Make functions as `new_function` does; they are deleted afterwards."""
    made: list[Function] = []

    def make(*arguments: Any, **settings: Any) -> Function:
        made.append(new_function(aws, *arguments, **settings))
        return made[-1]

    yield make
    for function in made:
        with contextlib.suppress(aws.functions.exceptions.ResourceNotFoundException):
            aws.functions.delete_function(FunctionName=function.name)


@pytest.fixture
def function(make_function: Callable[..., Function]) -> Function:
    """The probe."""
    return make_function()


@dataclass
class Queue:
    """A queue on the endpoint."""

    aws: Aws
    url: str
    arn: str
    dead_letters: "Queue | None" = field(default=None)

    def send(self, *bodies: str, **settings: Any) -> list[str]:
        """Send messages; returns their ids."""
        return [
            self.aws.sqs.send_message(QueueUrl=self.url, MessageBody=body, **settings)["MessageId"] for body in bodies
        ]

    def counts(self) -> tuple[int, int]:
        """Visible messages, and messages in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.aws.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def receive(self) -> list[dict[str, Any]]:
        """Up to ten messages, with their attributes."""
        answer = self.aws.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages


@pytest.fixture
def tried_before() -> Iterator[str]:
    """Source whose last line has a body to come: what the first start of a function does, and no later one."""
    flag = Path("/tmp") / f"tried-{uuid.uuid4().hex}"  # the function's own, where the emulator gives it one
    yield f"import os, pathlib\nflag = pathlib.Path('{flag}')\nif not flag.exists():\n    flag.touch()\n    "
    flag.unlink(missing_ok=True)


@pytest.fixture
def make_queue(aws: Aws) -> Iterator[Callable[..., Queue]]:
    """Make queues, with a dead letter queue when `max_receive_count` is given; they are deleted afterwards."""
    made: list[Queue] = []

    def create(name: str, attributes: dict[str, str]) -> Queue:
        url = aws.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        made.append(Queue(aws, url, found["Attributes"]["QueueArn"]))
        return made[-1]

    def make(max_receive_count: int | None = None, fifo: bool = False, **attributes: str) -> Queue:
        name, suffix = f"contract-{uuid.uuid4().hex[:12]}", ".fifo" if fifo else ""
        kind = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        dead = None
        if max_receive_count:
            dead = create(f"{name}-dead{suffix}", dict(kind))
            policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": max_receive_count}
            attributes["RedrivePolicy"] = json.dumps(policy)
        queue = create(name + suffix, {"VisibilityTimeout": "30"} | kind | attributes)
        queue.dead_letters = dead
        return queue

    yield make
    for queue in made:
        aws.sqs.delete_queue(QueueUrl=queue.url)


@pytest.fixture
def make_mapping(aws: Aws) -> Iterator[Callable[..., str]]:
    """Make event source mappings, by default with batches of one; they are deleted afterwards."""
    made: list[str] = []

    def make(queue: Queue, function: Function, **settings: Any) -> str:
        answer = aws.functions.create_event_source_mapping(
            EventSourceArn=queue.arn, FunctionName=function.arn, **({"BatchSize": 1} | settings)
        )
        made.append(answer["UUID"])
        wanted = "Enabled" if settings.get("Enabled", True) else "Disabled"
        eventually(lambda: aws.functions.get_event_source_mapping(UUID=made[-1])["State"] == wanted)
        return made[-1]

    yield make
    for mapping in made:
        with contextlib.suppress(aws.functions.exceptions.ResourceNotFoundException):
            aws.functions.delete_event_source_mapping(UUID=mapping)

    def all_gone() -> bool:
        left = {entry["UUID"] for entry in aws.functions.list_event_source_mappings()["EventSourceMappings"]}
        return not left & set(made)

    eventually(all_gone, 60)

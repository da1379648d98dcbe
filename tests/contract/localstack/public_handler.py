"""Run one SQS or S3 handler that is not this project's, as it is, and see what becomes of its messages.

    python -m tests.contract.localstack.public_handler FILE HANDLER (--message BODY … | --object KEY=FILE …) [options]

In: the handler's file and what it is given. Out: a line of JSON, and exit 0 when messages, dead letters, files and the
log are as the options say. Messages go through a queue with a dead letter queue (visibility timeout 12 s, one receive,
function timeout 10 s), objects through a bucket's notification, or with --through-queue through both. The emulator is
one of its own. docs/public-tests.md has what was run with it.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.localstack.conftest import ROLE, Aws, Function, embedded, eventually, package

PATIENCE_S = 60


@dataclass(frozen=True)
class Made:
    """What the handler runs behind, and where its results may go."""

    function: Function
    queue: str
    dead_letters: str
    results: str
    source: str
    target: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when everything was as expected."""
    options = _parser().parse_args(arguments)
    with embedded({options.runtime: options.python or sys.executable}) as aws:
        made = _make(aws, options)
        _drive(aws, made, options)
        found, problems = _judge(aws, made, options)
    print(json.dumps({"handler": options.file.name, **found, "problems": problems}))
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="public_handler", description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("handler", help="module.function")
    parser.add_argument("--runtime", default="python3.12", help="the name it is deployed under")
    parser.add_argument("--python", help="the interpreter for it, with awslambdaric and what the handler imports")
    parser.add_argument("--message", action="append", default=[])
    parser.add_argument("--object", action="append", default=[], metavar="KEY=FILE")
    parser.add_argument("--through-queue", action="store_true", help="the bucket notifies the queue")
    parser.add_argument("--report-items", action="store_true", help="ReportBatchItemFailures")
    parser.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE",
                        help="{results} is a further queue's URL, {target} a further bucket")  # fmt: skip
    parser.add_argument("--target-suffix", default="target", help="what {target} is named beyond the uploads' bucket")
    parser.add_argument("--expect", action="append", default=[], help="what the log has to have")
    parser.add_argument("--dead", type=int, default=0, help="messages that end as dead letters")
    parser.add_argument("--results", type=int, default=0, help="messages in {results} afterwards")
    parser.add_argument("--files", type=int, default=0, help="objects in {target} afterwards")
    return parser


def _make(aws: Aws, options: argparse.Namespace) -> Made:
    name = f"public-{uuid.uuid4().hex[:8]}"
    dead_letters, dead_arn = _make_queue(aws, f"{name}-dead")
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    queue, queue_arn = _make_queue(aws, name, VisibilityTimeout="12", RedrivePolicy=policy)
    results, _ = _make_queue(aws, f"{name}-results")
    s3 = aws.client("s3")
    source, target = name, f"{name}-{options.target_suffix}"
    for bucket in (source, target):
        s3.create_bucket(Bucket=bucket)
    variables = dict(pair.split("=", 1) for pair in options.variable)
    answer = aws.functions.create_function(
        FunctionName=name, Role=ROLE, Runtime=options.runtime, Handler=options.handler, Timeout=10, MemorySize=512,
        Code={"ZipFile": package({options.file.name: options.file.read_text()})},
        Environment={"Variables": {key: _filled(value, results, target) for key, value in variables.items()}},
    )  # fmt: skip
    function = Function(aws, name, answer["FunctionArn"])
    function.wait("State", "Active")
    if options.message or options.through_queue:
        types = ["ReportBatchItemFailures"] if options.report_items else []
        aws.functions.create_event_source_mapping(
            EventSourceArn=queue_arn, FunctionName=name, FunctionResponseTypes=types
        )
    if options.object:
        event = {"Events": ["s3:ObjectCreated:*"]}
        kind, where = ("Queue", {"QueueArn": queue_arn}) if options.through_queue else (
            "LambdaFunction", {"LambdaFunctionArn": function.arn})  # fmt: skip
        s3.put_bucket_notification_configuration(
            Bucket=source, NotificationConfiguration={f"{kind}Configurations": [event | where]},
            SkipDestinationValidation=True,
        )  # fmt: skip
    return Made(function, queue, dead_letters, results, source, target)


def _make_queue(aws: Aws, name: str, **attributes: str) -> tuple[str, str]:
    url: str = aws.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def _filled(value: str, results: str, target: str) -> str:
    return value.replace("{results}", results).replace("{target}", target)


def _drive(aws: Aws, made: Made, options: argparse.Namespace) -> None:
    for body in options.message:
        aws.sqs.send_message(QueueUrl=made.queue, MessageBody=body)
    for pair in options.object:
        key, _, path = pair.partition("=")
        aws.client("s3").put_object(Bucket=made.source, Key=key, Body=Path(path).read_bytes())


def _judge(aws: Aws, made: Made, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    def found() -> dict[str, Any]:
        return {
            "left": _count(aws, made.queue),
            "dead": _count(aws, made.dead_letters),
            "results": _count(aws, made.results),
            "files": aws.client("s3").list_objects_v2(Bucket=made.target).get("KeyCount", 0),
        }

    wanted = {"left": 0, "dead": options.dead, "results": options.results, "files": options.files}
    invokes = 1 if options.message or options.through_queue else len(options.object)

    def log() -> str:
        return "".join(made.function.logged())

    def is_over() -> bool:
        return found() == wanted and log().count("REPORT RequestId") >= invokes

    problems = []
    try:
        eventually(is_over, PATIENCE_S)
    except AssertionError:
        problems.append(f"wanted {wanted} and {invokes} reports, got {log().count('REPORT RequestId')}")
    problems += [f"not in the log: {text}" for text in options.expect if text not in log()]
    return found() | {"invokes": log().count("REPORT RequestId")}, problems


def _count(aws: Aws, url: str) -> int:
    """Messages of a queue, those in flight included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


if __name__ == "__main__":
    sys.exit(main())

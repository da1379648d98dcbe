"""`harness dlq`: from the command line's words to the dead letters of the stack that is up."""

import json
from pathlib import Path

import click

from harness import dlq, local_stack
from harness import pipeline as pipelines
from harness.aws import Aws
from harness.cli.options import print_json
from harness.errors import HarnessError


def _queues(pipeline_file: Path, only_type: str | None) -> tuple[list[dlq.Queues], Aws]:
    endpoints = local_stack.running()
    if endpoints is None:
        raise HarnessError("nothing is up; `harness up` starts a stack")
    aws = Aws(endpoints)
    return dlq.queues(pipelines.load(pipeline_file), aws, only_type), aws


def _tell(found: list[dlq.Found], as_json: bool, heading: str) -> None:
    if as_json:
        print_json([one.to_json() for one in found])
        return
    click.echo(f"{heading}{':' if found else ''}")
    for one in found:
        keys = ", ".join(one.letter.keys) or "(not an S3 event)"
        click.echo(f"{one.type}  {one.letter.message_id}  {one.to_json()['sent_at']}  {keys}")


def list_letters(pipeline_file: Path, only_type: str | None, as_json: bool) -> None:
    """Print every dead letter."""
    found = dlq.letters(*_queues(pipeline_file, only_type))
    _tell(found, as_json, f"{len(found)} dead letters")


def show_letter(pipeline_file: Path, only_type: str | None, wanted: str, as_json: bool) -> None:
    """Print one dead letter with its body.

    Raises:
        UsageError: none or several are meant.
    """
    found, body = dlq.find(*_queues(pipeline_file, only_type), wanted)
    facts = found.to_json() | {"body": body}
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        click.echo(f"{key:<15} {json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value}")


def redrive_letters(
    pipeline_file: Path,
    only_type: str | None,
    only: tuple[str, ...],
    *,
    rate: float | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move dead letters back, or say which would be moved; `rate` is messages a minute."""
    of, aws = _queues(pipeline_file, only_type)
    found = dlq.chosen_letters(of, aws, only) if dry_run else list(dlq.redrive(of, aws, only, rate and rate / 60))
    _tell(found, as_json, f"{len(found)} dead letters {'would be ' if dry_run else ''}moved")

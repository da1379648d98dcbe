"""The stack that is left running, its dead letters, and the pipeline's description."""

import sys
from pathlib import Path
from typing import Any

import click

from harness.cli.options import json_option, pipeline_option, print_json
from harness.errors import ExitCode
from harness.quantities import Rate


@click.command()
@pipeline_option
@click.option("--aws-port", type=click.IntRange(1, 65535), help="Port of the AWS endpoint.  [default: a free one]")
@click.option("--redshift-port", type=click.IntRange(1, 65535), help="Port of the warehouse.  [default: a free one]")
@json_option
def up(pipeline_file: Path, aws_port: int | None, redshift_port: int | None, as_json: bool) -> None:
    """Start a stack with the pipeline on it, and leave it running."""
    from harness import local_stack

    status = local_stack.up(pipeline_file, aws_port, redshift_port)
    print_json(status) if as_json else click.echo(local_stack.describe(status))


@click.command()
def down() -> None:
    """End the stack that `harness up` started; its data are gone."""
    from harness import local_stack

    click.echo("down" if local_stack.down() else "nothing is up")


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether a stack is up, and how to connect to it."""
    from harness import local_stack

    found = local_stack.status()
    if found is None:
        print_json(None) if as_json else click.echo("nothing is up; `harness up` starts a stack")
        sys.exit(ExitCode.FAIL)
    print_json(found) if as_json else click.echo(local_stack.describe(found))


@click.command()
@pipeline_option
@click.option("--run", "run_name", metavar="RUN", help="Take into account what this run has shown.")
@click.option("--deployed", is_flag=True, help="Read what is on the stack that `harness up` started, too.")
@json_option
def advise(pipeline_file: Path, run_name: str | None, deployed: bool, as_json: bool) -> None:
    """Say which settings of the pipeline ask for trouble, why, and who says so."""
    from harness import advice, local_stack, pipeline, provisioned_advice
    from harness.history import fold
    from harness.ledger import read
    from harness.run_directory import find

    measured = advice.Measured()
    if run_name:
        measured = advice.measured_in(fold(read(find(run_name).ledger).events))
    described = pipeline.load(pipeline_file)
    found = advice.advise(described, measured)
    if deployed:
        found += provisioned_advice.advise_on(described, local_stack.deployed(described))
    if as_json:
        print_json([{"setting": one.setting, "text": one.text, "source": one.source} for one in found])
        return
    for one in found:
        click.echo(f"{one.setting}: {one.text} ({one.source})")
    if not found:
        click.echo("nothing to say against these settings")


@click.group()
def dlq() -> None:
    """Look at dead letters, and send them back after the fix, on the stack that is up."""


type_option = click.option("--type", "only_type", help="Only this data type's dead letter queue.")


@dlq.command("list")
@pipeline_option
@type_option
@json_option
def list_dead_letters(pipeline_file: Path, only_type: str | None, as_json: bool) -> None:
    """List the dead letters; they stay where they are."""
    from harness.command_dlq import list_letters

    list_letters(pipeline_file, only_type, as_json)


@dlq.command("show")
@click.argument("letter")
@pipeline_option
@type_option
@json_option
def show_dead_letter(letter: str, pipeline_file: Path, only_type: str | None, as_json: bool) -> None:
    """Show one dead letter whole. LETTER is a message id, its beginning, or an S3 key."""
    from harness.command_dlq import show_letter

    show_letter(pipeline_file, only_type, letter, as_json)


@dlq.command("redrive")
@click.argument("letters", nargs=-1)
@pipeline_option
@type_option
@click.option("--rate", type=Rate(), help="Move at most so many, such as 10/s.  [default: as fast as it goes]")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and move nothing.")
@json_option
def redrive_dead_letters(letters: tuple[str, ...], pipeline_file: Path, only_type: str | None, **options: Any) -> None:
    """Move dead letters back to their source queues: all, or LETTERS (message ids, their beginnings, or S3 keys)."""
    from harness.command_dlq import redrive_letters

    redrive_letters(pipeline_file, only_type, letters, **options)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Write a commented pipeline.toml, handler, DDL and merge to start your own pipeline from."""
    from harness.init import init as write_templates

    for path in write_templates(directory):
        click.echo(path)


COMMANDS = (up, down, status, advise, dlq, init)

"""The `harness` command itself: its parts put together, errors to one line and an exit code."""

import sys
import traceback
from typing import NoReturn

import click

from harness import interruption
from harness.cli import aws, bench, forecast, regression, runs, stack
from harness.errors import ExitCode, HarnessError

EXIT_CODES_HELP = "Exit codes: 0 pass, 1 fail, 2 usage or bad input, 3 inconclusive, 4 the harness itself failed."


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"Start with `harness run smoke`. {EXIT_CODES_HELP}",
)
@click.version_option(package_name="nrt-harness")
def cli() -> None:
    """Load-test a near-real-time S3 → SQS → Lambda → Redshift pipeline on this machine, with its real handler."""


for part in (runs, stack, regression, forecast, bench, aws):
    for command in part.COMMANDS:
        cli.add_command(command)


def _interrupted() -> NoReturn:
    click.echo(interruption.WORDS, err=True)
    sys.exit(ExitCode.INCONCLUSIVE)


def main() -> None:
    """The console script."""
    try:
        cli.main(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _interrupted()
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except HarnessError as error:
        click.echo(f"harness: {error}", err=True)
        if interruption.seen():
            _interrupted()
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - Python would exit with 1, and a defect of ours must not read as an SLA breach
        if interruption.seen():
            _interrupted()
        traceback.print_exc()
        click.echo("harness: this is a defect of the harness itself, not of your pipeline", err=True)
        sys.exit(ExitCode.HARNESS_FAILED)

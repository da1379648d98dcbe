"""The words that several commands share, and how they print JSON."""

import json
from pathlib import Path
from typing import Any

import click

pipeline_option = click.option(
    "--pipeline", "pipeline_file", type=click.Path(path_type=Path), default=Path("pipeline.toml"), show_default=True,
    envvar="NRT_PIPELINE", help="The pipeline description to run.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON that a script can read.")
maximum_concurrency_option = click.option(
    "--maximum-concurrency", type=click.IntRange(2, 1000),
    help="How many invocations of each function the event source mapping allows at once.  [default: the pipeline's]",
)  # fmt: skip


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))

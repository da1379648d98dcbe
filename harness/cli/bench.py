"""What the pipeline sustains on this machine."""

import sys
from pathlib import Path
from typing import Any

import click

from harness.cli.options import json_option, pipeline_option
from harness.quantities import Duration, Rate


@click.group()
def bench() -> None:
    """Measure what the pipeline sustains on this machine."""


@bench.command("throughput")
@pipeline_option
@click.option("--rate", type=Rate(), default="600/min", show_default=True, help="Files to offer.")
@click.option("--duration", type=Duration(), default="3m", show_default=True, help="How long to offer them.")
@click.option("--records", type=click.IntRange(1, 1_000_000), help="Records in each file.  [default: the pipeline's]")
@click.option(
    "--maximum-concurrency", type=click.IntRange(2, 1000),
    help="How many invocations of each function the event source mapping allows at once.  [default: the pipeline's, "
    "but no more than there are cores]",
)  # fmt: skip
@click.option(
    "--compare", type=click.Choice(["stock-poller", "ministack"]), multiple=True,
    help="Measure this, too: LocalStack's own SQS poller with the same executor, or MiniStack in the emulator's place "
    "(its own S3, queues, poller and functions; no merge and no probes; needs `make setup-dev`).",
)  # fmt: skip
@click.option("--no-floor", "without_floor", is_flag=True, help="Leave out the handler and COPY alone.")
@click.option("--out", type=click.Path(path_type=Path), help="The run's directory.  [default: runs/<time>-…]")
@json_option
def bench_throughput(**options: Any) -> None:
    """Say whether the pipeline holds a rate, how near that is to what this machine can do, and where the CPU goes.

    The embedded stack, the real handler, a merge every 15 seconds. It holds the rate when nothing is lost, the backlog
    does not grow, and files are queryable within 45 seconds at p99. The floor is the same files through the handler
    and COPY alone, in as many processes as there are cores: no queue, no emulator. A busy machine measures itself.
    """
    from harness.command_bench import bench_throughput as run_bench

    sys.exit(run_bench(**options))


COMMANDS = (bench,)

"""What is not run but reckoned: cost, settings, other rates, and the original's figures."""

import sys
from pathlib import Path
from typing import Any

import click

from harness.cli.options import json_option, pipeline_option
from harness.quantities import Duration, Rate


@click.command()
@click.argument("what", metavar="RUN|PIPELINE", default="pipeline.toml")
@click.option("--rate", type=Rate(), help="Files, such as 100/min.  [default: the run's own; 100/min for a pipeline]")
@click.option("--region", default="us-east-1", show_default=True, help="The region whose prices are taken.")
@click.option("--days", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True, help="For how long.")
@click.option("--prices", "prices_file", type=click.Path(path_type=Path),
              help="TOML with prices that add to the built-in ones or override them.")  # fmt: skip
@click.option("--memory", type=click.IntRange(128, 10240), help="MB of each function.  [default: as the run had]")
@click.option("--architecture", type=click.Choice(["x86_64", "arm64"]), default="x86_64", show_default=True,
              help="Of the functions.")  # fmt: skip
@click.option("--function-s", type=click.FloatRange(0, min_open=True),
              help="Billed seconds a file.  [default: as measured; 25, the original's, for a pipeline]")  # fmt: skip
@click.option("--merge-s", type=click.FloatRange(0, min_open=True),
              help="Seconds a merge takes.  [default: as measured; 90, the original's, for a pipeline]")  # fmt: skip
@click.option("--warehouse", type=click.Choice(["serverless", "provisioned", "none"]), default="serverless",
              show_default=True, help="How Redshift is paid for; `none` leaves it out.")  # fmt: skip
@click.option("--rpus", type=click.IntRange(4, 1024), default=8, show_default=True, help="Of a serverless warehouse.")
@click.option("--nodes", type=click.IntRange(1, 128), default=2, show_default=True, help="Of a provisioned one.")
@click.option("--node-type", default="ra3.xlplus", show_default=True, help="Of a provisioned one.")
@click.option("--batch-run", metavar="RUN", help="A run of the half-hourly design, whose times and workers are taken.")
@click.option("--batch-dpus", type=click.FloatRange(0, min_open=True),
              help="DPUs of the half-hourly job.  [default: 10, Glue's own, or those of --batch-run]")  # fmt: skip
@click.option("--batch-minutes", type=click.FloatRange(0, min_open=True),
              help="How long each of its runs takes.  [default: 15, an assumption]")  # fmt: skip
@click.option("--free-tier", is_flag=True, help="Take off what AWS gives each month for nothing.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the charts to this file, too.")
@json_option
def cost(
    what: str, rate: float | None, memory: int | None, function_s: float | None, merge_s: float | None,
    architecture: str, warehouse: str, rpus: int, nodes: int, node_type: str,
    batch_run: str | None, batch_dpus: float | None, batch_minutes: float | None, **options: Any,
) -> None:  # fmt: skip
    """Say what a run or a pipeline would cost on AWS, and what the half-hourly Glue job would.

    RUN is a run's directory, its id in runs/, or `last`: its billed durations, retries and logs are priced at its own
    rate or at --rate. PIPELINE is a pipeline.toml: its settings are priced at the original's published load. Every line
    shows quantity × price = amount; prices are list prices with their date. This is a model, not a bill.
    """
    from harness.command_cost import OldDesign, Words, price
    from harness.cost.event_driven import Setup

    setup = Setup(architecture, warehouse, rpus, node_type, nodes)
    old = OldDesign(batch_run, batch_dpus, batch_minutes)
    price(what, Words(rate, memory, function_s, merge_s), setup, old, **options)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--region", default="us-east-1", show_default=True, help="The region whose prices are taken.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file.")
def reproduce(runs: tuple[str, ...], region: str, out: Path | None) -> None:
    """Set the original's published figures beside what RUNs have measured, as Markdown.

    Each RUN is a run or a directory of runs, of the event-driven design or of the half-hourly job; `make reproduction`
    makes them first.
    """
    from harness.command_reproduce import reproduce as write_page

    write_page(runs, region, out)


@click.group()
def tune() -> None:
    """Find settings that suit the handler."""


def _sizes(text: str, what: str, lowest: int, highest: int) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        found = ()
    if not found or found[0] < lowest or found[-1] > highest:
        raise click.UsageError(f"{what} {text!r} is not a list such as 512,1024 of numbers from {lowest} to {highest}")
    return found


@tune.command("memory")
@pipeline_option
@click.option("--type", "type_name", help="The data type whose function is tuned.  [default: the first]")
@click.option("--memory", default="512,1024,1769,3008", show_default=True, help="Memory sizes in MB.")
@click.option("--batch", default="1,5,10", show_default=True, help="Batch sizes, in files.")
@click.option("--repeat", type=click.IntRange(1), default=5, show_default=True, help="Warm invocations of each pair.")
@click.option("--records", type=click.IntRange(1, 1_000_000), help="Records in a file.  [default: the pipeline's]")
@click.option("--within", "within_s", type=Duration(), help="Recommend the cheapest that is done within this time.")
@click.option("--region", default="us-east-1", show_default=True, help="The region whose prices are taken.")
@click.option("--architecture", type=click.Choice(["x86_64", "arm64"]), default="x86_64", show_default=True,
              help="Whose price is taken; the handler runs on this machine's.")  # fmt: skip
@click.option("--report", type=click.Choice(["html"]), help="Draw cost against latency, too.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where the report goes.")
@json_option
def tune_memory(
    pipeline_file: Path,
    type_name: str | None,
    memory: str,
    batch: str,
    repeat: int,
    records: int | None,
    **options: Any,
) -> None:
    """Run the real handler at several memory and batch sizes, and recommend one.

    Each memory size gets the share of a CPU that Lambda gives it: 1,769 MB is one. A stack is started for it and ends
    with it. Exit codes: 0 there is a recommendation, 1 no size will do.
    """
    from harness import pipeline
    from harness.command_tune import tune_memory as tune_it
    from harness.tune.bench import Sizes

    sizes = Sizes(
        _sizes(memory, "--memory", 128, 10_240), _sizes(batch, "--batch", 1, 10_000), repeat,
        records or pipeline.load(pipeline_file).records_per_file,
    )  # fmt: skip
    sys.exit(tune_it(pipeline_file, type_name, sizes, **options))


@click.command()
@click.argument("run_name", metavar="RUN", default="last")
@click.option("--rate", type=Rate(), help="Files to forecast.  [default: the run's own rate]")
@click.option("--hours", type=click.FloatRange(0, min_open=True), default=24.0, show_default=True,
              help="How long to forecast.")  # fmt: skip
@click.option(
    "--maximum-concurrency", type=click.IntRange(2, 1000), help="Of each event source mapping.  [default: the run's]"
)
@click.option("--batch-size", type=click.IntRange(1, 10), help="Messages of a batch.  [default: the run's]")
@click.option("--merge-every", type=Duration(), help="Merge interval, such as 5m.  [default: the pipeline's]")
@click.option("--sla", type=Duration(), help="From delivery to queryable, such as 30m.  [default: the pipeline's]")
@click.option(
    "--recommend", is_flag=True, help="Try settings, and say which hold the SLA at this rate, and their cost."
)
@click.option("--against", multiple=True, metavar="RUN", help="A run at another rate to check the model with; may be "
              "repeated.  [default: runs of this pipeline beside RUN]")  # fmt: skip
@click.option("--region", default="us-east-1", show_default=True, help="Whose prices to take.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same answer."
)
@json_option
def simulate(
    run_name: str, against: tuple[str, ...], recommend: bool, region: str, as_json: bool, **options: Any
) -> None:
    """Forecast another rate or other settings with a model calibrated from RUN.

    RUN is a directory, an id in runs/, or `last`. The model takes service times, cold starts, COPY and merge times from
    the run's ledger and query log, and shows every time by how much it is off on runs it has not seen.
    """
    from harness.command_simulate import Wanted, simulate_run

    wanted = Wanted(
        options["rate"], options["hours"], options["maximum_concurrency"], options["batch_size"],
        options["merge_every"], options["sla"], options["seed"],
    )  # fmt: skip
    sys.exit(simulate_run(run_name, wanted, against, recommending=recommend, region=region, as_json=as_json))


COMMANDS = (cost, reproduce, tune, simulate)

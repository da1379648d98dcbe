"""The `harness` command: words to calls, results to standard output, errors to one line and an exit code.

Everything slow is imported by the command that needs it, so that `--help` answers at once.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import ExitCode, HarnessError
from harness.quantities import Duration, Rate

if TYPE_CHECKING:
    from harness.verdict import Judgement

EXIT_CODES_HELP = "Exit codes: 0 pass, 1 fail, 2 usage or bad input, 3 inconclusive, 4 the harness itself failed."

pipeline_option = click.option(
    "--pipeline", "pipeline_file", type=click.Path(path_type=Path), default=Path("pipeline.toml"), show_default=True,
    envvar="NRT_PIPELINE", help="The pipeline description to run.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON that a script can read.")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"Start with `harness run smoke`. {EXIT_CODES_HELP}",
)
@click.version_option(package_name="nrt-harness")
def cli() -> None:
    """Load-test a near-real-time S3 → SQS → Lambda → Redshift pipeline on this machine, with its real handler."""


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@cli.command("list")
@json_option
def list_scenarios(as_json: bool) -> None:
    """List the scenarios and the question each answers."""
    from harness import catalogue

    found = [catalogue.scenario(name) for name in catalogue.names()]
    if as_json:
        print_json([{"name": scenario.name, "question": scenario.question} for scenario in found])
        return
    width = max(len(scenario.name) for scenario in found)
    for scenario in found:
        click.echo(f"{scenario.name:<{width}}  {scenario.question}")


@cli.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what a scenario offers, and what must hold."""
    from harness import catalogue

    scenario = catalogue.scenario(name)
    facts = {
        "name": scenario.name,
        "question": scenario.question,
        "arrivals": str(scenario.workload.arrivals),
        "duration_s": scenario.duration_s,
        "time_scale": scenario.time_scale,
        "drain_within_s": scenario.drain_within_s,
        "shapes": [str(shape) for shape in scenario.workload.shapes],
        "faults": [
            f"{timed.fault.name} at {timed.at_s:g} s" + (f" for {timed.for_s:g} s" if timed.for_s else "")
            for timed in scenario.faults
        ],
        "checks": [check.name for check in scenario.checks],
    }
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        click.echo(f"{key:<15} {', '.join(value) if isinstance(value, list) else value}")


@cli.command()
@click.argument("name")
@pipeline_option
@click.option("--stack", type=click.Choice(["embedded", "compose"]), default="embedded", show_default=True,
              envvar="NRT_STACK", help="Where to run: on this machine, or in Docker containers. A stack that `harness "
              "up` or `docker compose up` started is used if there is one.")  # fmt: skip
@click.option("--rate", type=Rate(), help="Files to offer, such as 100/min: replaces the scenario's own arrivals.")
@click.option("--duration", type=Duration(), help="How long to offer files, such as 5m.")
@click.option("--time-scale", type=float, help="Divide the merge interval, the SLA and other limits by this.")
@click.option("--realtime", is_flag=True, help="The pipeline's true merge interval and SLA: a time scale of 1.")
@click.option("--records", type=click.IntRange(1, 1_000_000), help="Records in each file.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same files."
)
@click.option("--replay", type=click.Path(path_type=Path), help="Send the files in DIR/<type>/ instead of made ones.")
@click.option(
    "--resample", is_flag=True, help="With --replay: draw files at random, again and again, for the duration."
)
@click.option("--out", type=click.Path(path_type=Path), help="The run's directory.  [default: runs/<time>-<name>]")
@click.option("--function-s", type=Duration(), help="A model: each file's COPY waits so long for its turn, such as "
              "25s, so that the file is in the function for that time.")  # fmt: skip
@click.option("--maximum-concurrency", type=click.IntRange(2, 1000), help="How many invocations of each function the "
              "event source mapping allows at once.  [default: the pipeline's]")  # fmt: skip
@click.option("--live", is_flag=True, help="Serve a page that shows the run while it goes on; its URL is printed.")
@click.option("--before-judging", metavar="COMMAND", help="Run a shell command after the drain; the "
              "stack is still up, and the file that HARNESS_STATUS names says where.")  # fmt: skip
@json_option
def run(name: str, **options: Any) -> None:
    """Run a scenario and judge it.

    Progress goes to standard error; the verdict to standard output. Everything that was measured stays in the run's
    directory: `harness check` judges it again, `harness report` shows it.
    """
    from harness.command_run import run_scenario

    sys.exit(run_scenario(name, **options))


@cli.command()
@click.argument("run_name", metavar="RUN", default="last")
@json_option
def check(run_name: str, as_json: bool) -> None:
    """Judge a stored run again. RUN is its directory, its id in runs/, or `last`."""
    judgement = _judge(run_name)
    _show(judgement, as_json)
    sys.exit(judgement.exit_code)


@cli.command()
@click.argument("run_name", metavar="RUN", default="last")
@click.option("--format", "report_format", type=click.Choice(["html", "markdown", "json", "junit"]), default="markdown",
              show_default=True, help="What to print.")  # fmt: skip
def report(run_name: str, report_format: str) -> None:
    """Print the report of a stored run. RUN is its directory, its id in runs/, or `last`."""
    from harness.report import render
    from harness.run_directory import find

    click.echo(render(find(run_name), _judge(run_name), report_format))


@cli.command()
@click.argument("run_name", metavar="RUN", default="last")
@click.option("--out", type=click.Path(path_type=Path), help="Where to.  [default: the directory export/ of the run]")
def export(run_name: str, out: Path | None) -> None:
    """Write a stored run as Parquet tables. RUN is its directory, its id in runs/, or `last`."""
    from harness.export import export as write_tables
    from harness.run_directory import find

    directory = find(run_name)
    for path in write_tables(directory, out or directory.path / "export"):
        click.echo(path)


@cli.command()
@click.argument("base")
@click.argument("head")
@click.option("--base", "more_base", multiple=True, metavar="RUN", help="A further run of the base; may be repeated.")
@click.option("--head", "more_head", multiple=True, metavar="RUN", help="A further run of the head; may be repeated.")
@click.option("--format", "text_format", type=click.Choice(["markdown", "json", "junit"]), default="markdown",
              show_default=True, help="What to print.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the comparison here as Markdown, too.")
def compare(
    base: str, head: str, more_base: tuple[str, ...], more_head: tuple[str, ...], text_format: str, as_json: bool,
    report: Path | None,
) -> None:  # fmt: skip
    """Say whether HEAD is worse than BASE. Each is a run, or a directory with several runs in it.

    Latencies need several runs of each side, made in turns, to know the noise; counts need one. Exit codes: 0 same or
    better, 1 worse, 2 usage or bad input, 3 too noisy to tell or not measured.
    """
    from harness.command_compare import compare_runs

    sys.exit(compare_runs((base, *more_base), (head, *more_head), "json" if as_json else text_format, report))


@cli.command()
@click.option("--base", required=True, metavar="REF", help="The version to compare with, such as origin/main.")
@click.option("--head", metavar="REF", help="The version that is to be judged.  [default: the working tree]")
@click.option("--scenario", default="smoke", show_default=True, help="What to run.")
@click.option("--repeat", type=click.IntRange(1), default=7, show_default=True, help="Runs of each version.")
@pipeline_option
@click.option("--out", type=click.Path(path_type=Path), help="Where the runs go.  [default: runs/<time>-gate-<name>]")
@click.option("--format", "text_format", type=click.Choice(["markdown", "json", "junit"]), default="markdown",
              show_default=True, help="What to print; all three are written to --out.")  # fmt: skip
@click.argument("run_options", nargs=-1, metavar="[-- RUN_OPTIONS]", type=click.UNPROCESSED)
def gate(
    base: str, head: str | None, scenario: str, repeat: int, pipeline_file: Path, out: Path | None, text_format: str,
    run_options: tuple[str, ...],
) -> None:  # fmt: skip
    """Run two versions of the pipeline in turns, and say whether the head is worse.

    The handler, its SQL and pipeline.toml are taken from git; the harness that measures is this one for both. What
    follows `--` goes to `harness run`. Exit codes are those of `harness compare`.
    """
    from harness.command_compare import gate_versions

    sys.exit(gate_versions(base, head, scenario, repeat, pipeline_file, out, text_format, run_options))


@cli.command()
@click.argument("history", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("runs", nargs=-1)
@click.option("--label", default="", help="The version that ran, such as a commit; kept with each run that is added.")
@click.option("--recent", type=click.IntRange(1), default=10, show_default=True,
              help="Only a change for the worse among so many of the last runs fails.")  # fmt: skip
@json_option
def trend(history: Path, runs: tuple[str, ...], label: str, recent: int, as_json: bool) -> None:
    """Add RUNS to HISTORY, a file with one JSON line a run, and say since which run something is different.

    Exit codes: 0 no recent change for the worse, 1 there is one, 2 usage or bad input, 3 too few runs to tell.
    """
    from harness.command_compare import show_trend

    sys.exit(show_trend(history, runs, label, recent, as_json))


def _judge(run_name: str) -> "Judgement":
    from harness import catalogue
    from harness.checks import default_checks
    from harness.run_directory import find
    from harness.verdict import judge_stored

    directory = find(run_name)
    scenario = directory.read_facts().scenario
    known = scenario in catalogue.names()
    return judge_stored(directory, catalogue.scenario(scenario).checks if known else default_checks())


def _show(judgement: "Judgement", as_json: bool) -> None:
    from harness.verdict_text import verdict_text

    if as_json:
        print_json(judgement.to_json())
    else:
        click.echo(verdict_text(judgement))


@cli.command()
@pipeline_option
@click.option("--aws-port", type=click.IntRange(1, 65535), help="Port of the AWS endpoint.  [default: a free one]")
@click.option("--redshift-port", type=click.IntRange(1, 65535), help="Port of the warehouse.  [default: a free one]")
@json_option
def up(pipeline_file: Path, aws_port: int | None, redshift_port: int | None, as_json: bool) -> None:
    """Start a stack with the pipeline on it, and leave it running."""
    from harness import local_stack

    status = local_stack.up(pipeline_file, aws_port, redshift_port)
    print_json(status) if as_json else click.echo(local_stack.describe(status))


@cli.command()
def down() -> None:
    """End the stack that `harness up` started; its data are gone."""
    from harness import local_stack

    click.echo("down" if local_stack.down() else "nothing is up")


@cli.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether a stack is up, and how to connect to it."""
    from harness import local_stack

    found = local_stack.status()
    if found is None:
        print_json(None) if as_json else click.echo("nothing is up; `harness up` starts a stack")
        sys.exit(ExitCode.FAIL)
    print_json(found) if as_json else click.echo(local_stack.describe(found))


@cli.command()
@pipeline_option
@click.option("--run", "run_name", metavar="RUN", help="Take into account what this run has shown.")
@json_option
def advise(pipeline_file: Path, run_name: str | None, as_json: bool) -> None:
    """Say which settings of the pipeline ask for trouble, why, and who says so."""
    from harness import advice, pipeline
    from harness.history import fold
    from harness.ledger import read
    from harness.run_directory import find

    measured = advice.Measured()
    if run_name:
        measured = advice.measured_in(fold(read(find(run_name).ledger).events))
    found = advice.advise(pipeline.load(pipeline_file), measured)
    if as_json:
        print_json([{"setting": one.setting, "text": one.text, "source": one.source} for one in found])
        return
    for one in found:
        click.echo(f"{one.setting}: {one.text} ({one.source})")
    if not found:
        click.echo("nothing to say against these settings")


@cli.command()
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


@cli.command()
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


@cli.group()
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


@cli.group()
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


@cli.command()
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


@cli.group()
def bench() -> None:
    """Measure what the pipeline sustains on this machine."""


@bench.command("throughput")
@pipeline_option
@click.option("--rate", type=Rate(), default="600/min", show_default=True, help="Files to offer.")
@click.option("--duration", type=Duration(), default="3m", show_default=True, help="How long to offer them.")
@click.option("--records", type=click.IntRange(1, 1_000_000), help="Records in each file.  [default: the pipeline's]")
@click.option("--compare", type=click.Choice(["stock-poller"]), multiple=True,
              help="Measure this, too: LocalStack's own SQS poller with the same executor.")  # fmt: skip
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


@cli.group()
def aws() -> None:
    """The pipeline on AWS itself, as a CloudFormation stack, with the caller's own credentials."""


@aws.command("template")
@pipeline_option
def aws_template(pipeline_file: Path) -> None:
    """Print the CloudFormation template that pipeline.toml makes."""
    from harness import pipeline
    from harness.aws_stack.template import as_text

    click.echo(as_text(pipeline.load(pipeline_file)), nl=False)


@aws.command("deploy")
@click.argument("stack")
@pipeline_option
@click.option("--image", required=True, metavar="URI", help="The functions' container image in ECR.")
@click.option("--parameter", "parameters", multiple=True, metavar="KEY=VALUE", help="A parameter of the template.")
@click.option("--region", default="us-east-1", show_default=True, envvar="AWS_DEFAULT_REGION",
              help="Whose prices the estimate takes; where the stack is made is for boto3 to know.")  # fmt: skip
@click.option("--yes-this-costs-money", "agreed", is_flag=True, help="Make it. Without this the estimate is shown.")
@json_option
def aws_deploy(
    stack: str, pipeline_file: Path, image: str, parameters: tuple[str, ...], region: str, agreed: bool, as_json: bool
) -> None:
    """Make STACK: bucket, queues, functions, warehouse, merges and alarms. It costs money until it is destroyed."""
    from harness import command_aws

    command_aws.deploy(command_aws.wanted(stack, pipeline_file, image, parameters), region, agreed, as_json)


@aws.command("show")
@click.argument("stack")
@json_option
def aws_show(stack: str, as_json: bool) -> None:
    """Say what everything in STACK is called."""
    from harness import command_aws
    from harness.aws_stack import stacks

    command_aws.show(stacks.describe(stack), as_json)


@aws.command("destroy")
@click.argument("stack")
def aws_destroy(stack: str) -> None:
    """Remove STACK with all that is in it: files, queues and the warehouse that it made."""
    from harness.aws_stack import stacks

    stacks.destroy(stack)
    click.echo(f"{stack} is gone")


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Write a commented pipeline.toml, handler, DDL and merge to start your own pipeline from."""
    from harness.init import init as write_templates

    for path in write_templates(directory):
        click.echo(path)


def main() -> None:
    """The console script."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(ExitCode.INCONCLUSIVE)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except HarnessError as error:
        click.echo(f"harness: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        click.echo("harness: interrupted", err=True)
        sys.exit(ExitCode.INCONCLUSIVE)
    except Exception:  # noqa: BLE001 - Python would exit with 1, and a defect of ours must not read as an SLA breach
        traceback.print_exc()
        click.echo("harness: this is a defect of the harness itself, not of your pipeline", err=True)
        sys.exit(ExitCode.HARNESS_FAILED)

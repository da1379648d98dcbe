"""Scenarios and runs: what there is, run one, judge it again, show it, take it elsewhere."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, maximum_concurrency_option, pipeline_option, print_json
from harness.errors import UsageError
from harness.quantities import Duration, Rate

if TYPE_CHECKING:
    from harness.verdict import Judgement


@click.command("list")
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


@click.command()
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


@click.command()
@click.argument("name")
@pipeline_option
@click.option("--stack", type=click.Choice(["embedded", "compose", "aws"]), default="embedded", show_default=True,
              envvar="NRT_STACK", help="Where to run: on this machine, in Docker containers, or on AWS itself. A stack "
              "that `harness up` or `docker compose up` started is used if there is one.")  # fmt: skip
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
@maximum_concurrency_option
@click.option("--live", is_flag=True, help="Serve a page that shows the run while it goes on; its URL is printed.")
@click.option("--adopt", metavar="STACK", help="With --stack aws: the CloudFormation stack that is deployed already; "
              "otherwise one is made for this run, and removed after it.")  # fmt: skip
@click.option("--image", metavar="URI", help="With --stack aws: the functions' container image in ECR.")
@click.option("--parameter", "parameters", multiple=True, metavar="KEY=VALUE",
              help="With --stack aws: a parameter of the template (docs/aws.md).")  # fmt: skip
@click.option("--empty-tables", is_flag=True, help="With --stack aws: empty the tables and queues first, for good.")
@click.option("--yes-this-costs-money", "agreed", is_flag=True,
              help="With --stack aws: run. Without this the estimate is shown.")  # fmt: skip
@click.option("--before-judging", metavar="COMMAND", help="Run a shell command after the drain; the "
              "stack is still up, and the file that HARNESS_STATUS names says where.")  # fmt: skip
@json_option
def run(name: str, **options: Any) -> None:
    """Run a scenario and judge it.

    Progress goes to standard error; the verdict to standard output. Everything that was measured stays in the run's
    directory: `harness check` judges it again, `harness report` shows it.
    """
    from harness.command_run import run_scenario

    asked = {option: options.pop(option) for option in ("adopt", "image", "parameters", "empty_tables", "agreed")}
    if options["stack"] == "aws":
        from harness.command_run_aws import AwsOptions, run_on_aws

        sys.exit(run_on_aws(name, AwsOptions(**asked), **options))
    if any(asked.values()):
        raise UsageError("--adopt, --image, --parameter, --empty-tables and --yes-this-costs-money need --stack aws")
    sys.exit(run_scenario(name, **options))


@click.command()
@click.argument("run_name", metavar="RUN", default="last")
@json_option
def check(run_name: str, as_json: bool) -> None:
    """Judge a stored run again. RUN is its directory, its id in runs/, or `last`."""
    judgement = _judge(run_name)
    _show(judgement, as_json)
    sys.exit(judgement.exit_code)


@click.command()
@click.argument("run_name", metavar="RUN", default="last")
@click.option("--format", "report_format", type=click.Choice(["html", "markdown", "json", "junit"]), default="markdown",
              show_default=True, help="What to print.")  # fmt: skip
def report(run_name: str, report_format: str) -> None:
    """Print the report of a stored run. RUN is its directory, its id in runs/, or `last`."""
    from harness.report import render
    from harness.run_directory import find

    click.echo(render(find(run_name), _judge(run_name), report_format))


@click.command()
@click.argument("run_name", metavar="RUN", default="last")
@click.option("--out", type=click.Path(path_type=Path), help="Where to.  [default: the directory export/ of the run]")
def export(run_name: str, out: Path | None) -> None:
    """Write a stored run as Parquet tables. RUN is its directory, its id in runs/, or `last`."""
    from harness.export import export as write_tables
    from harness.run_directory import find

    directory = find(run_name)
    for path in write_tables(directory, out or directory.path / "export"):
        click.echo(path)


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


COMMANDS = (list_scenarios, show, run, check, report, export)

"""`harness aws`: the pipeline as a CloudFormation stack. What costs money shows the estimate, and has to be told so."""

import json
from dataclasses import dataclass
from pathlib import Path

import click

from harness import pipeline as pipelines
from harness.aws_stack import stacks
from harness.aws_stack.template import template
from harness.cli.options import print_json
from harness.cost import event_driven, price_list
from harness.cost.bill import Bill
from harness.cost.event_driven import Setup
from harness.cost.load import ORIGINAL_FILES_PER_MIN, ORIGINAL_FUNCTION_S, ORIGINAL_MERGE_S, assumed
from harness.errors import UsageError
from harness.pipeline import Pipeline

COPY_S = 1.0
HOURS_SHOWN = 1.0
EXISTING_WAREHOUSE = "RedshiftHost"


@dataclass(frozen=True)
class Wanted:
    """A stack as the command line asks for it."""

    name: str
    pipeline: Pipeline
    parameters: dict[str, str]


def parse_parameters(texts: tuple[str, ...]) -> dict[str, str]:
    """`KEY=VALUE` words as a dictionary.

    Raises:
        UsageError: one of them is something else.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (key, equals, _) in zip(texts, pairs, strict=True):
        if not (key and equals):
            raise UsageError(f"--parameter {text!r} is not KEY=VALUE, such as ImageUri=…")
    return {key: value for key, _, value in pairs}


def wanted(name: str, pipeline_file: Path, image: str, parameters: tuple[str, ...]) -> Wanted:
    """What is to be deployed.

    Raises:
        UsageError: the pipeline or a parameter cannot be used.
    """
    given = {"ImageUri": image} | parse_parameters(parameters)
    if not given.get(EXISTING_WAREHOUSE) and not given.get("VpcId"):
        raise UsageError(
            "a warehouse of the stack's own needs --parameter VpcId=…, SubnetIds=…,…,… and RouteTableIds=…; one "
            "that is there needs RedshiftHost=…, RedshiftSecretArn=… and RedshiftCluster=… (docs/aws.md)"
        )
    return Wanted(name, pipelines.load(pipeline_file), given)


def estimate(asked: Wanted, region: str) -> Bill:
    """The model's bill of an hour at the everyday rate; `harness cost` says more.

    Raises:
        UsageError: a price is not known for the region.
    """
    load = assumed(asked.pipeline, ORIGINAL_FILES_PER_MIN, ORIGINAL_FUNCTION_S, ORIGINAL_MERGE_S, copy_s=COPY_S)
    own = not asked.parameters.get(EXISTING_WAREHOUSE)
    setup = Setup(
        warehouse="serverless" if own else "none", rpus=int(asked.parameters.get("RedshiftBaseCapacity", Setup.rpus))
    )
    return event_driven.bill(load, setup, price_list.load(region), HOURS_SHOWN / 24)


def estimate_text(bill: Bill) -> str:
    """The estimate for people, with what it is."""
    lines = [
        f"{HOURS_SHOWN:g} h at {ORIGINAL_FILES_PER_MIN:g} files/min in {bill.region}: about {bill.total_usd:.2f} USD "
        "(a model: list prices, assumed load, not a bill; `harness cost` shows how it comes about)"
    ]
    lines += [f"  {service:<16} {amount:8.2f} USD" for service, amount in bill.by_service().items()]
    lines.append(
        "  not in it: the VPC endpoint to Secrets Manager, data transfer, alarms, what others do in the warehouse"
    )
    return "\n".join(lines)


def deploy(asked: Wanted, region: str, agreed: bool, as_json: bool) -> None:
    """Make the stack, once its cost is agreed to.

    Raises:
        UsageError: it is not agreed to; the estimate is in the message.
        HarnessError: the stack could not be made.
    """
    text = estimate_text(estimate(asked, region))
    if not agreed:
        raise UsageError(
            f"{asked.name} would cost money, and goes on to until `harness aws destroy {asked.name}`:\n{text}\n"
            "say --yes-this-costs-money to make it"
        )
    click.echo(f"harness: making the stack {asked.name}; {text}", err=True)
    show(make(asked), as_json)


def make(asked: Wanted) -> stacks.Deployed:
    """Make the stack, whose cost was agreed to.

    Raises:
        HarnessError: it could not be made.
    """
    return stacks.deploy(
        asked.name, json.dumps(template(asked.pipeline), separators=(",", ":")), asked.parameters, asked.pipeline.name
    )


def show(found: stacks.Deployed, as_json: bool) -> None:
    """The stack's outputs: what everything is called."""
    if as_json:
        print_json({"stack": found.name, "outputs": found.outputs})
        return
    click.echo(f"stack {found.name}")
    for key, value in sorted(found.outputs.items()):
        click.echo(f"  {key:<28} {value}")

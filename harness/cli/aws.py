"""The pipeline on AWS itself."""

from pathlib import Path

import click

from harness.cli.options import json_option, pipeline_option


@click.group()
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


COMMANDS = (aws,)

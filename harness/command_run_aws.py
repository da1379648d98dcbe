"""`harness run … --stack aws`: a scenario against a pipeline on AWS itself, once its cost is agreed to.

In: the command line's words. Out: a judged run. The stack is one that is there (`--adopt`), or is made for the run and
removed after it, however the run ended.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from harness import catalogue, command_aws
from harness.aws_stack import stacks
from harness.aws_stack.adopted import adopted, region
from harness.aws_stack.stacks import Deployed
from harness.command_aws import Wanted
from harness.command_run import request_of, run_and_judge, told
from harness.errors import UsageError
from harness.run import RunRequest
from harness.run_directory import create

OWN_STACK_PREFIX = "nrt-run-"
# The harness runs the merges itself, on the run's own schedule.
MERGES_OFF = "MergeState=DISABLED"


@dataclass(frozen=True)
class AwsOptions:
    """What `--stack aws` asks for besides a scenario."""

    adopt: str | None
    image: str | None
    parameters: tuple[str, ...]
    empty_tables: bool
    agreed: bool


def run_on_aws(
    name: str, asked: AwsOptions, *, out: Path | None, stack: str, as_json: bool, pipeline_file: Path, live: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Run and judge; returns the exit code.

    Raises:
        UsageError: an option cannot be used, the cost is not agreed to, or the stack is not fit for a run.
        HarnessError: AWS did not do as it was asked, or the harness itself failed.
    """
    request = request_of(catalogue.scenario(name), pipeline_file, **options)
    _check_fit(request)
    with ExitStack() as cleanup:
        deployed = _deployed(request, asked, pipeline_file, cleanup)
        endpoints = cleanup.enter_context(adopted(deployed, request.pipeline, asked.empty_tables))
        assert endpoints.on_aws is not None
        pipeline = request.pipeline.model_copy(update={"bucket": endpoints.on_aws.bucket})
        # Queues are as they were deployed, whatever the time scale.
        visibility_s = {type_name: pipeline.queue_of(type_name).visibility_timeout_s for type_name in pipeline.types}
        timing = replace(request.timing, visibility_timeout_s=visibility_s)
        request, directory = replace(request, pipeline=pipeline, timing=timing), create(out, name)
        return told(run_and_judge(request, directory, stack, live, endpoints), directory, as_json)


def _check_fit(request: RunRequest) -> None:
    scenario = request.scenario
    if scenario.faults:
        raise UsageError(f"{scenario.name}: its faults are for stacks of the harness's own, not for AWS")
    if scenario.beside or scenario.search is not None:
        raise UsageError(f"{scenario.name}: it takes several runs, which --stack aws does not do")
    if request.pipeline.batch is not None:
        raise UsageError("--stack aws is for the event-driven design; this pipeline is a batch job")


def _deployed(request: RunRequest, asked: AwsOptions, pipeline_file: Path, cleanup: ExitStack) -> Deployed:
    if asked.adopt is not None:
        if asked.image or asked.parameters:
            raise UsageError("--adopt takes a stack as it is: --image and --parameter are for one that is made")
        deployed = stacks.describe(asked.adopt)
        _agree(Wanted(deployed.name, request.pipeline, deployed.parameters), asked.agreed)
        return deployed
    if asked.image is None:
        raise UsageError("--stack aws needs --image, or --adopt and a stack that is deployed")
    own = f"{OWN_STACK_PREFIX}{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    wanted = command_aws.wanted(own, pipeline_file, asked.image, (*asked.parameters, MERGES_OFF))
    _agree(wanted, asked.agreed)
    return cleanup.enter_context(_made(wanted))


def _agree(wanted: Wanted, agreed: bool) -> None:
    text = command_aws.estimate_text(command_aws.estimate(wanted, region()))
    if not agreed:
        raise UsageError(f"a run on {wanted.name} costs money:\n{text}\nsay --yes-this-costs-money to run it")
    click.echo(f"harness: {wanted.name}; {text}", err=True)


@contextmanager
def _made(wanted: Wanted) -> Iterator[Deployed]:
    click.echo(f"harness: making the stack {wanted.name}", err=True)
    deployed = command_aws.make(wanted)
    try:
        yield deployed
    finally:
        click.echo(f"harness: removing the stack {wanted.name}", err=True)
        stacks.destroy(wanted.name)

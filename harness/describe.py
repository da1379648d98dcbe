"""A run's request in words for people: what was offered, how the pipeline was set, and the command that asks again.

In: a request, or the options it was made from. Out: short texts, which `run.json` keeps and the report shows.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.pipeline import Pipeline
from harness.run import RunRequest
from harness.scenario import Scenario


def described(request: RunRequest) -> dict[str, str]:
    """Name -> text, in the order in which to show them."""
    scenario, pipeline = request.scenario, request.pipeline
    said = {
        "arrivals": _value(scenario.workload.arrivals),
        "made different": ", ".join(map(_value, scenario.workload.shapes)),
        "faults": ", ".join(
            f"{timed.fault.name} at {timed.at_s:g} s" + (f" for {timed.for_s:g} s" if timed.for_s else "")
            for timed in scenario.faults
        ),
        "merge": f"every {pipeline.merge.every_s:g} s, SLA {pipeline.sla_s:g} s (before any time scale)",
        **({} if pipeline.batch else _functions(pipeline)),
    }
    return {name: text for name, text in said.items() if text}


def _functions(pipeline: Pipeline) -> dict[str, str]:
    """Types that are set alike share a line."""
    groups: dict[str, list[str]] = {}
    for name in pipeline.types:
        function, queue = pipeline.function_of(name), pipeline.queue_of(name)
        most = queue.maximum_concurrency or "any number of"
        text = (
            f"{function.handler}, {function.memory_mb} MB, timeout {function.timeout_s} s; batches of "
            f"{queue.batch_size}, {most} at once, given up after {queue.max_receive_count} receives"
        )
        groups.setdefault(text, []).append(name)
    return {f"function of {', '.join(names)}": text for text, names in groups.items()}


def _value(value: object) -> str:
    """`Constant(rate_per_min=120)` as `constant, rate per min 120`."""
    name, _, inside = str(value).partition("(")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return ", ".join(
        [words, *(part.replace("_", " ").replace("=", " ") for part in inside.rstrip(")").split(", ") if part)]
    )


def command(scenario: Scenario, pipeline_file: Path, seed: int, options: Mapping[str, object]) -> str:
    """The command that asks for the same run; `options` are those that were given."""
    words = ["harness", "run", scenario.name, "--seed", str(seed)]
    if pipeline_file != Path("pipeline.toml"):
        words += ["--pipeline", str(pipeline_file)]
    return shlex.join([*words, *_words(options)])


def _words(options: Mapping[str, object]) -> Iterator[str]:
    units = {"rate": "/min", "duration": "s", "function_s": "s"}
    for name, value in options.items():
        if value is None or value is False:
            continue
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield f"{value:g}{units.get(name, '')}" if isinstance(value, float) else f"{value}{units.get(name, '')}"

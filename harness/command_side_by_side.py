"""`harness run side_by_side`: one scenario on two pipeline descriptions, one after the other, and one report.

In: the command line's words. Out: a directory with a run directory for each design (`event/`, `batch/`), which every
other command reads as any run, and `report.html` and `side_by_side.json` that put them side by side.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import catalogue
from harness.cli.options import print_json
from harness.command_run import request_of, run_and_judge
from harness.errors import UsageError
from harness.run_directory import RunDirectory, create
from harness.side_by_side import SideBySide, compare
from harness.verdict import Judgement

if TYPE_CHECKING:
    from harness.run import RunRequest

DESIGNS = ("event", "batch")


def run_side_by_side(
    name: str, beside: str, *, out: Path | None, stack: str, as_json: bool, pipeline_file: Path, live: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Run both designs, print and write the comparison; returns the exit code.

    Raises:
        UsageError: a description or an option cannot be used, or the two do not describe the same files.
        HarnessError: the harness itself failed; what was recorded up to then stays.
    """
    files = (pipeline_file, pipeline_file.with_name(beside))
    requests = [request_of(catalogue.scenario(name), file, **options) for file in files]
    _check_alike(files, requests)
    directory = create(out, name, logs=False)
    judgements = [
        _run(request, directory.path / design, stack, live) for design, request in zip(DESIGNS, requests, strict=True)
    ]
    found = compare(judgements[0], judgements[1], requests[1].pipeline)
    _write(found, directory)
    if as_json:
        print_json(found.to_json())
    else:
        from harness.report.side_by_side import text

        click.echo(text(found))
        click.echo(f"\n{directory.path}/report.html")
    return found.exit_code


def _check_alike(files: tuple[Path, Path], requests: "list[RunRequest]") -> None:
    event, batch = (request.pipeline for request in requests)
    if event.batch is not None or batch.batch is None:
        raise UsageError(f"{files[0]} must describe queues and functions, {files[1]} a job ([batch]): they do not")
    for key in ("types", "bucket", "sla_s", "records_per_file"):
        if getattr(event, key) != getattr(batch, key):
            raise UsageError(f"{files[1]}: {key}: differs from {files[0]}; `extends` takes it over")


def _run(request: "RunRequest", path: Path, stack: str, live: bool) -> Judgement:
    path.mkdir()
    run = RunDirectory(path)
    run.logs.mkdir()
    return run_and_judge(request, run, stack, live)


def _write(found: SideBySide, directory: RunDirectory) -> None:
    from harness.report.side_by_side import page

    path = directory.path
    (path / "side_by_side.json").write_text(json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n")
    (path / "report.html").write_text(page(found, path.resolve().name), encoding="utf-8")

"""Two versions side by side, and a history of runs."""

import sys
from pathlib import Path

import click

from harness.cli.options import json_option, pipeline_option


@click.command()
@click.argument("base")
@click.argument("head")
@click.option("--base", "more_base", multiple=True, metavar="RUN", help="A further run of the base; may be repeated.")
@click.option("--head", "more_head", multiple=True, metavar="RUN", help="A further run of the head; may be repeated.")
@click.option("--format", "text_format", type=click.Choice(["markdown", "json", "junit"]), default="markdown",
              show_default=True, help="What to print.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--report", type=click.Path(path_type=Path), is_flag=False, flag_value=Path("compare.html"),
              help="Write the comparison here, too: a page with charts, or Markdown if the name does not end "
              "in .html.  [without FILE: compare.html]", metavar="[FILE]")  # fmt: skip
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


@click.command()
@click.option("--base", required=True, metavar="REF", help="The version to compare with, such as origin/main.")
@click.option("--head", metavar="REF", help="The version that is to be judged.  [default: the working tree]")
@click.option("--scenario", default="smoke", show_default=True, help="What to run.")
@click.option("--repeat", type=click.IntRange(1), default=8, show_default=True, help="Runs of each version.")
@pipeline_option
@click.option("--out", type=click.Path(path_type=Path), help="Where the runs go.  [default: runs/<time>-gate-<name>]")
@click.option("--format", "text_format", type=click.Choice(["markdown", "json", "junit"]), default="markdown",
              show_default=True, help="What to print; these and compare.html are written to --out.")  # fmt: skip
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


@click.command()
@click.argument("history", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("runs", nargs=-1)
@click.option("--label", default="", help="The version that ran, such as a commit; kept with each run that is added.")
@click.option("--recent", type=click.IntRange(1), default=10, show_default=True,
              help="Only a change for the worse among so many of the last runs fails.")  # fmt: skip
@json_option
def trend(history: Path, runs: tuple[str, ...], label: str, recent: int, as_json: bool) -> None:
    """Add RUNS to HISTORY, a file with one JSON line a run, and say since which run something is different.

    Where `make setup-otava` was run, apache-otava looks too; what it finds is shown, and does not decide.

    Exit codes: 0 no recent change for the worse, 1 there is one, 2 usage or bad input, 3 too few runs to tell.
    """
    from harness.command_compare import show_trend

    sys.exit(show_trend(history, runs, label, recent, as_json))


COMMANDS = (compare, gate, trend)

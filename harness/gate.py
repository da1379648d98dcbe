"""`harness gate`: two versions of a pipeline, run in turns on one machine by this one harness, and compared.

In: two git references of the repository that holds the pipeline. Out: a directory with the runs of both and their
comparison. The handler, its SQL and pipeline.toml are those of each version; what measures is the same for both, so a
difference is the pipeline's.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.compare import Comparison, compare, measure
from harness.errors import ExitCode, HarnessError, UsageError
from harness.run_directory import RunDirectory

SIDES = ("base", "head")
JUDGED = (ExitCode.PASS, ExitCode.FAIL, ExitCode.INCONCLUSIVE)

Runner = Callable[[Path, Path], int]


@dataclass(frozen=True)
class Versions:
    """What to compare. `head` None is the working tree as it is; `pipeline` is a path inside the repository."""

    repository: Path
    base: str
    head: str | None
    pipeline: Path


def gate(versions: Versions, out: Path, repeat: int, run: Runner) -> Comparison:
    """Run both versions `repeat` times each, in turns, into `out`, and compare them.

    `run` takes a pipeline file and the directory for a run, and returns the exit code of `harness run`.

    Raises:
        UsageError: a reference or its pipeline is not there, or a run could not be started with it.
        HarnessError: the harness itself failed in a run.
    """
    with tempfile.TemporaryDirectory(prefix="nrt-gate-") as temporary:
        # the functions may run as another user
        Path(temporary).chmod(0o755)
        pipelines = {
            "base": _checked_out(versions, versions.base, Path(temporary) / "base"),
            "head": _checked_out(versions, versions.head, Path(temporary) / "head"),
        }
        runs: dict[str, list[RunDirectory]] = {side: [] for side in SIDES}
        for number, side in _turns(repeat):
            directory = out / side / f"run-{number}"
            code = run(pipelines[side], directory)
            if code not in JUDGED:
                kind = UsageError if code == ExitCode.USAGE else HarnessError
                raise kind(f"{directory}: run {number} of the {side} ended with exit code {code}; see above")
            runs[side].append(RunDirectory(directory))
    return compare(*([measure(directory) for directory in runs[side]] for side in SIDES))


def _turns(repeat: int) -> Iterator[tuple[int, str]]:
    """base, head, head, base, base, head …: a drift of the machine is then not mistaken for a change."""
    for number in range(1, repeat + 1):
        for side in SIDES if number % 2 else reversed(SIDES):
            yield number, side


def _checked_out(versions: Versions, reference: str | None, into: Path) -> Path:
    """The pipeline file of a version; without a reference, that of the working tree."""
    if reference is None:
        found, name = versions.repository / versions.pipeline, "the working tree"
    else:
        _extract(versions.repository, reference, into)
        found, name = into / versions.pipeline, reference
    if not found.is_file():
        raise UsageError(f"{versions.pipeline}: not in {name}")
    return found


def _extract(repository: Path, reference: str, into: Path) -> None:
    """The files of a version, without touching the repository's own checkout."""
    try:
        done = subprocess.run(
            # what begins with a dash is no reference, and must not become an option
            ["git", "-C", repository, "archive", "--format=tar", f"{_commit(repository, reference)}"],
            capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise UsageError("git is not there: the gate takes both versions from a git repository") from error
    if done.returncode:
        raise UsageError(f"{reference}: {done.stderr.decode(errors='replace').strip()}")
    into.mkdir(mode=0o755)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(into, filter="data")


def _commit(repository: Path, reference: str) -> str:
    done = subprocess.run(
        ["git", "-C", repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise UsageError(f"{reference}: no such commit in {repository}")
    return done.stdout.strip()


def runner(scenario: str, options: tuple[str, ...]) -> Runner:
    """Runs the scenario as a process of its own, its progress on standard error."""

    def run(pipeline: Path, directory: Path) -> int:
        directory.parent.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "harness",
            "run",
            scenario,
            "--pipeline",
            pipeline,
            "--out",
            directory,
        ]
        return subprocess.run([*command, *options], stdout=sys.stderr, check=False).returncode

    return run

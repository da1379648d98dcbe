"""`runs/<id>/`: where everything that a run leaves is, and the facts about it that do not change.

`run.json` holds the resolved scenario, the seed, the versions and the machine; `harness check` and the report read
nothing but this directory.
"""

import json
import os
import platform
import re
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, UsageError

PACKAGES = ("nrt-harness", "awswrangler", "redshift-connector", "boto3", "locust", "pyarrow", "awslambdaric", "faker")


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run before it starts; all that judging needs besides the ledger.

    `design` is `event` (queues and functions) or `batch` (a job that picks files by their time).
    """

    scenario: str
    question: str
    pipeline: str
    types: tuple[str, ...]
    seed: int
    time_scale: float
    sla_s: float
    merge_every_s: float
    visibility_timeout_s: dict[str, int]
    duration_s: float
    drain_within_s: float
    files_scheduled: int
    records_scheduled: int
    stack: str
    started_at: str
    versions: dict[str, str]
    machine: dict[str, Any]
    # in words, None when the warehouse pretends nothing: its times are then the stand-in's own
    warehouse_model: str | None = None
    design: str = "event"
    # for people: what was offered and how the pipeline was set, in words, and the command that asks for it again
    described: dict[str, str] = field(default_factory=dict)
    command: str | None = None
    # of each type, as schema.table
    stage_tables: dict[str, str] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """Of Python and the packages whose behaviour a result depends on."""
    return {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def machine() -> dict[str, Any]:
    """What the run had to run on; a result means little without it."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
    }


@dataclass(frozen=True)
class RunDirectory:
    """The paths of a run."""

    path: Path

    @property
    def facts(self) -> Path:
        return self.path / "run.json"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.jsonl"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def verdict(self) -> Path:
        return self.path / "verdict.json"

    @property
    def junit(self) -> Path:
        return self.path / "junit.xml"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def write_facts(self, facts: RunFacts) -> None:
        self.facts.write_text(json.dumps(asdict(facts), indent=2, ensure_ascii=False) + "\n")

    def read_facts(self) -> RunFacts:
        """Raises UsageError when this is not a run directory."""
        try:
            raw = json.loads(self.facts.read_text())
            return RunFacts(**{**raw, "types": tuple(raw["types"])})
        except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise UsageError(f"{self.path}: not a run directory ({error})") from error


def create(out: Path | None, scenario: str, runs: Path = Path("runs"), *, logs: bool = True) -> RunDirectory:
    """Make the directory of a new run: `out`, or `<time>-<scenario>` in `runs`; without `logs` of several runs.

    Raises:
        UsageError: it exists and holds something.
        HarnessError: it cannot be made.
    """
    path = out or runs / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{scenario}"
    try:
        for attempt in range(1, 100):
            candidate = path if out or attempt == 1 else path.with_name(f"{path.name}-{attempt}")
            if not candidate.exists() or (out and not any(candidate.iterdir())):
                break
            if out:
                raise UsageError(f"{path}: there is something in it already; name another directory with --out")
        candidate.mkdir(parents=True, exist_ok=True)
        directory = RunDirectory(candidate)
        if logs:
            directory.logs.mkdir()
    except OSError as error:
        raise HarnessError(f"{path}: the run's directory cannot be made: {error.strerror}") from error
    return directory


def _is_run(path: Path) -> bool:
    """Whether a run keeps its facts there: a directory of several runs does not."""
    return bool(re.match(r"\d{8}T\d{6}", path.name)) and (path / "run.json").is_file()


def find(name: str) -> RunDirectory:
    """The run that a user names: a path, an id in `runs/`, or `last`.

    Raises:
        UsageError: there is none.
    """
    runs = Path("runs")
    if name == "last":
        stored = sorted((path for path in runs.glob("*") if _is_run(path)), key=lambda p: p.name)
        if not stored:
            raise UsageError("runs/: there is no run yet; `harness run smoke` makes one")
        return RunDirectory(stored[-1])
    for path in (Path(name), runs / name):
        if (path / "run.json").is_file():
            return RunDirectory(path)
    raise UsageError(f"{name}: no such run; name its directory, its id in runs/, or `last`")

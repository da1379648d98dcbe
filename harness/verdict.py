"""The judgement of a run, and `verdict.json`, the contract that CI and people's scripts read.

In: the evidence and the checks. Out: a `Judgement`. The worst check decides; a run that did not go to its end, or
whose ledger is not whole, can only be inconclusive: what is missing could acquit or convict. So can one whose
functions timed out while other programs had most of the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness import queries
from harness.checks import Check, CheckResult, Evidence, Verdict
from harness.cost.of_run import cost_of
from harness.errors import ExitCode
from harness.evidence import on_the_way, starvation
from harness.history import FileHistory, fold
from harness.ledger import read
from harness.run_directory import RunDirectory
from harness.statistics import summary

SCHEMA = 1
STAGES = ("upload", "notify", "queue", "handler", "merge_wait", "merge")
STAGES_OF = {"event": STAGES, "batch": ("upload", "batch_wait", "batch", "merge")}
EXIT_CODES = {Verdict.PASS: ExitCode.PASS, Verdict.FAIL: ExitCode.FAIL, Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE}


@dataclass(frozen=True)
class Judgement:
    """A verdict and all that it rests on."""

    verdict: Verdict
    results: tuple[CheckResult, ...]
    evidence: Evidence

    @property
    def exit_code(self) -> ExitCode:
        return EXIT_CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """As `verdict.json` holds it. Latencies and lags that nobody measured are null."""
        facts, files = self.evidence.facts, self.evidence.files
        end_to_end = [file.end_to_end_s for file in files if file.end_to_end_s is not None]
        late = any(result.name == "end_to_end" and result.verdict is not Verdict.PASS for result in self.results)
        return {
            "schema": SCHEMA,
            "verdict": str(self.verdict),
            "scenario": facts.scenario,
            "seed": facts.seed,
            "time_scale": facts.time_scale,
            "warehouse_model": facts.warehouse_model,
            "files": _count_files(self.evidence, facts.files_scheduled),
            "records": _count_records(self.evidence),
            "throughput": _throughput(files),
            "offered": _offered(self.evidence),
            "latency_s": {"end_to_end": summary(end_to_end), "stages": _stages(files, facts.design)},
            "sla": {
                "limit_s": facts.sla_s,
                "met": bool(end_to_end) and not late,
                "worst_s": round(max(end_to_end), 3) if end_to_end else None,
            },
            "checks": [
                {"name": result.name, "verdict": str(result.verdict), "detail": result.detail}
                for result in self.results
            ],
            "merge_runs": _merge_runs(self.evidence),
            "cost": cost.to_json() if (cost := cost_of(self.evidence)) else None,
            "design": facts.design,
            **({"batch_runs": _batch_runs(self.evidence)} if facts.design == "batch" else {}),
            "versions": facts.versions,
            "machine": facts.machine,
        }


def _count_files(evidence: Evidence, scheduled: int) -> dict[str, int]:
    files, delivered, waiting = evidence.files, evidence.delivered, on_the_way(evidence)
    accounted = [file for file in delivered if file.accounted is not None]
    missing = [file for file in accounted if file.accounted and file.accounted.missing and file.dead_letter is None]
    return {
        "scheduled": scheduled,
        "uploaded": len(delivered),
        "loaded": sum(file.success is not None for file in files),
        "merged": sum(file.merged_s is not None for file in files),
        "dead_lettered": sum(file.dead_letter is not None for file in files),
        "lost": sum(file.key not in waiting for file in missing),
        "on_the_way": len(waiting),
        "duplicated": sum(bool(file.accounted and file.accounted.duplicated) for file in accounted),
    }


def _count_records(evidence: Evidence) -> dict[str, int]:
    counts = dict.fromkeys(
        ("expected", "merged", "dead_lettered", "lost", "on_the_way", "duplicated", "unexpected", "altered",
         "superseded"), 0
    )  # fmt: skip
    waiting = on_the_way(evidence)
    for file in evidence.delivered:
        if (accounted := file.accounted) is None:
            continue
        counts["expected"] += accounted.expected
        counts["merged"] += accounted.merged
        where = "dead_lettered" if file.dead_letter else "on_the_way" if file.key in waiting else "lost"
        counts[where] += accounted.missing
        counts["duplicated"] += accounted.duplicated
        counts["altered"] += accounted.altered
        counts["superseded"] += accounted.superseded
    counts["unexpected"] = sum(totals["unexpected"] for totals in evidence.history.type_totals.values())
    return counts


def _throughput(files: Sequence[FileHistory]) -> dict[str, float | None]:
    merged = [file for file in files if file.merged_s is not None and file.intended_s is not None]
    if not merged:
        return {"files_per_min": None, "records_per_s": None}
    first_s = min(file.intended_s for file in merged if file.intended_s is not None)
    span_s = max(file.merged_s for file in merged if file.merged_s is not None) - first_s
    return {
        "files_per_min": round(len(merged) / span_s * 60, 2),
        "records_per_s": round(sum(file.records for file in merged) / span_s, 1),
    }


def _offered(evidence: Evidence) -> dict[str, Any]:
    lags_ms = [file.start_lag_s * 1000 for file in evidence.files if file.start_lag_s is not None]
    lag = summary(lags_ms, digits=2)
    return {
        "files_per_min": round(len(lags_ms) / evidence.facts.duration_s * 60, 2),
        "start_lag_ms": {name: lag[name] for name in ("p50", "p99", "max")} if lag else None,
        "dropped": sum(file.upload_outcome == "dropped" for file in evidence.files),
    }


def _stages(files: Sequence[FileHistory], design: str) -> dict[str, dict[str, float] | None]:
    latencies = [file.stage_latencies_s() for file in files]
    return {stage: summary([one[stage] for one in latencies if stage in one]) for stage in STAGES_OF[design]}


def _merge_runs(evidence: Evidence) -> dict[str, Any]:
    merges = evidence.history.merges
    return {
        "count": len(merges),
        "failed": sum(bool(merge.errors) for merge in merges),
        "delayed": sum(merge.delayed_s > 0 for merge in merges),
        "duration_s": summary([merge.ended_s - merge.started_s for merge in merges]),
    }


def _batch_runs(evidence: Evidence) -> dict[str, Any]:
    runs = evidence.history.batch_runs
    return {
        "count": len(runs),
        "failed": sum(run["status"] != "ok" for run in runs),
        "duration_s": summary([run["ended_s"] - run["started_s"] for run in runs]),
        "dpu_seconds": round(sum(run["dpu_s"] for run in runs), 1),
    }


# What may break when a part of the stack was away by no fault of the scenario: files are late.
LATE_CHECKS = {"end_to_end", "drained"}


def judge(evidence: Evidence, checks: Sequence[Check]) -> Judgement:
    """Judge a run."""
    results = tuple(check(evidence) for check in checks)
    verdicts = {result.verdict for result in results}
    incomplete = bool(evidence.ledger_defects) or not evidence.history.finished or evidence.history.interrupted
    failed = {result.name for result in results if result.verdict is Verdict.FAIL}
    made_late = bool(evidence.history.outages) and failed <= LATE_CHECKS
    if incomplete or not results or starvation(evidence) or (failed and made_late):
        verdict = Verdict.INCONCLUSIVE
    else:
        worst = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
        verdict = next(verdict for verdict in worst if verdict in verdicts)
    return Judgement(verdict, results, evidence)


def judge_stored(directory: RunDirectory, checks: Sequence[Check]) -> Judgement:
    """Judge a run by what its directory holds, and nothing else.

    Raises:
        UsageError: it is not a run's directory.
    """
    facts, reading = directory.read_facts(), read(directory.ledger)
    history = fold(reading.events)
    queries.note_lock_waits(history, directory.path, facts.stage_tables)
    return judge(Evidence(facts, history, reading.defects), checks)

"""The load that a run has shown.

In: the evidence of a run. Out: a `Load`: what was billed, invoked and logged for each file, at the run's own rate.
Arrivals and service times are real in a compressed run too; only the merge interval has to be stretched back.
"""

import json
import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.checks import Evidence
from harness.cost.load import MINUTES_PER_DAY, Load
from harness.errors import UsageError
from harness.ledger import Event


@dataclass(frozen=True)
class _Billed:
    """Sums over the invocations that got files."""

    invocations: int
    seconds: float
    mb_seconds: float
    log_bytes: int
    messages: int


def billed_ms(invocation: Event) -> int:
    """What its REPORT line bills, without the initialisation of a new environment: a short run has many of those."""
    return math.ceil(float(invocation["duration_ms"]))


def load_of(evidence: Evidence, memory_mb: int | None = None, files_per_min: float | None = None) -> Load:
    """What the run was like; `memory_mb` for runs that did not record it, `files_per_min` for another rate.

    Raises:
        UsageError: it delivered nothing, invoked nothing, or nobody knows how much memory its functions had.
    """
    history, facts = evidence.history, evidence.facts
    files = evidence.delivered
    if not files or not any(one["messages"] for one in history.invocations):
        raise UsageError(f"{facts.scenario}: no file was delivered and loaded in this run: there is nothing to price")
    billed = _billed(evidence, memory_mb)
    merges = [merge.ended_s - merge.started_s for merge in history.merges]
    copies = [file.phase_ms["copy"] / 1000 for file in files if "copy" in file.phase_ms]
    inits_s = [one["init_ms"] / 1000 for one in history.invocations if one.get("init_ms")]
    per_min = files_per_min or len(files) / facts.duration_s * 60
    return Load(
        origin=f"measured in a run of {facts.scenario} on {facts.started_at[:10]}, time scale {facts.time_scale:g}",
        files_per_day=per_min * MINUTES_PER_DAY,
        records_per_file=fmean(file.records for file in files),
        file_bytes=fmean(file.size_bytes or 0 for file in files),
        types=len(facts.types),
        memory_mb=billed.mb_seconds / billed.seconds,
        function_s_per_file=billed.seconds / len(files),
        invocations_per_file=billed.invocations / len(files),
        messages_per_file=billed.messages / len(files),
        copy_s=fmean(copies) if copies else billed.seconds / billed.invocations,
        merge_every_s=facts.merge_every_s * facts.time_scale,
        merge_s=fmean(merges) if merges else 0.0,
        log_bytes_per_file=billed.log_bytes / len(files),
        init_s=fmean(inits_s) if inits_s else 0.0,
        reads_secret=any(one.get("reads_secret", False) for one in history.functions.values()),
    )


def _billed(evidence: Evidence, memory_mb: int | None) -> _Billed:
    invocations = [one for one in evidence.history.invocations if any(m["keys"] for m in one["messages"])]
    seconds = mb_seconds = 0.0
    log_bytes, messages = 0, set()
    for one in invocations:
        took_s = billed_ms(one) / 1000
        seconds += took_s
        mb_seconds += took_s * (memory_mb or _memory_mb(evidence.history.functions, one["function"]))
        log_bytes += sum(len(json.dumps(line)) for line in one.get("log_lines", ()))
        messages |= {message["message_id"] for message in one["messages"]}
    return _Billed(len(invocations), seconds, mb_seconds, log_bytes, len(messages))


def _memory_mb(functions: dict[str, dict[str, Any]], name: str) -> float:
    try:
        return float(functions[name]["memory_mb"])
    except KeyError as error:
        raise UsageError(f"this run does not say how much memory {name} had: give it with --memory") from error

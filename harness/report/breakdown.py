"""Where the time of a file went: its way from the intended time to the final table, cut into parts.

In: a history. Out: seconds per part, for one file, around a percentile, and for the worst. The parts refine the stages
of `verdict.json`: `upload` there is start lag and upload here, `queue` is the queue, the attempts that failed and the
cold start, which is over when the invocation begins, `handler` is the phases that the handler logs, and the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.history import FileHistory, History

# Name of a part -> what people call it and what it is. The handler may log phases that are not listed here.
LABELS = {
    "start_lag": ("start lag", "the harness began the upload later than intended"),
    "upload": ("upload", "PUT of the file to S3"),
    "notify": ("notification", "from S3's answer to the message on the queue"),
    "queue": ("queue", "the message waited until an execution environment took it"),
    "retries": ("failed attempts", "invocations that failed, and the visibility timeouts after them"),
    "cold_start": ("cold start", "a new execution environment started, and the message waited for it"),
    "phase:read": ("handler: read", "the file was fetched from S3"),
    "phase:check": ("handler: check", "the file was decoded and its columns and types checked"),
    "phase:connect": ("handler: connect", "a connection to the warehouse was made"),
    "phase:lock_wait": (
        "handler: lock wait",
        "COPY waited for the table's write lock, which another load or the merge held",
    ),
    "phase:copy": ("handler: COPY", "the rows were staged in S3, copied into the stage table, and committed"),
    "batch_wait": ("batch wait", "in the landing bucket, until the run of the batch job began that loaded it"),
    "batch_retries": ("failed batches", "from the first run of the batch job that took it to the one that loaded it"),
    "batch": ("batch job", "the run of the batch job, up to its merge: start, listing, planning, reading, COPY"),
    "init_again": (
        "init phase, again",
        "the init phase had failed or reached its limit of 10 s, so it ran again inside the invocation, whose time "
        "outside the logged phases this is",
    ),
    "handler_rest": ("handler: rest", "the invocation's time outside the phases it logs"),
    "merge_wait": ("merge wait", "staged, and waiting for the next merge run to reach its type"),
    "merge": ("merge", "the merge transaction that carried the file to the final table"),
}
FIXED_BEFORE = (
    "start_lag", "upload", "notify", "queue", "retries", "cold_start", "batch_wait", "batch_retries", "batch",
)  # fmt: skip
FIXED_AFTER = ("init_again", "handler_rest", "merge_wait", "merge")
NEIGHBOURS_SHARE = 0.01
WORST = 10


@dataclass(frozen=True)
class Breakdown:
    """The parts of one file's way, in seconds."""

    file: FileHistory
    parts_s: Mapping[str, float]

    @property
    def longest(self) -> str:
        """The part that took longest."""
        return max(self.parts_s, key=self.parts_s.__getitem__)


def label(part: str) -> str:
    """What people call a part."""
    return LABELS[part][0] if part in LABELS else part.replace("phase:", "handler: ").replace("_", " ")


def meaning(part: str) -> str:
    """What a part is."""
    return LABELS[part][1] if part in LABELS else "a phase that the handler logs"


def of_file(file: FileHistory, init_s: float) -> dict[str, float]:
    """Seconds per part that was seen; `init_s` is how long its execution environment took to start.

    A cold invocation without such a time is one that Lambda ran the init phase in, because it had failed before.
    """
    stages, parts = file.stage_latencies_s(), dict[str, float]()
    if file.start_lag_s is not None and "upload" in stages:
        parts["start_lag"] = max(0.0, file.start_lag_s)
        parts["upload"] = max(0.0, stages["upload"] - parts["start_lag"])
    if "notify" in stages:
        parts["notify"] = stages["notify"]
    if "queue" in stages and file.success is not None:
        first_s = min(attempt.start_s for attempt in file.attempts)
        parts["retries"] = min(stages["queue"], max(0.0, file.success.start_s - first_s))
        waited_s = stages["queue"] - parts["retries"]
        # the message is taken, the environment's init phase runs, and then the invocation starts
        parts["cold_start"] = min(waited_s, init_s) if file.success.cold else 0.0
        parts["queue"] = waited_s - parts["cold_start"]
    if "batch_wait" in stages and file.success is not None:
        first_s = min(attempt.start_s for attempt in file.attempts)
        parts["batch_retries"] = min(stages["batch_wait"], max(0.0, file.success.start_s - first_s))
        parts["batch_wait"] = stages["batch_wait"] - parts["batch_retries"]
    left_s = stages.get("handler", 0.0)
    phases_s = {f"phase:{phase}": milliseconds / 1000 for phase, milliseconds in file.phase_ms.items()}
    for part, part_s in phases_s.items():
        # a phase that was logged by another attempt than the first success may not fit
        parts[part] = min(left_s, part_s)
        left_s -= parts[part]
    ran_again = file.success is not None and file.success.cold and not init_s and not file.success.is_batch
    parts["init_again" if ran_again else "handler_rest"] = left_s
    return parts | {stage: stages[stage] for stage in ("batch", "merge_wait", "merge") if stage in stages}


def of_run(history: History) -> list[Breakdown]:
    """One breakdown for each file that reached a final table, the fastest first."""
    init_s = {event["request_id"]: (event.get("init_ms") or 0.0) / 1000 for event in history.invocations}
    merged = [file for file in history.files.values() if file.end_to_end_s is not None]
    return [
        Breakdown(file, of_file(file, init_s.get(file.success.request_id, 0.0) if file.success else 0.0))
        for file in sorted(merged, key=lambda file: file.end_to_end_s or 0.0)
    ]


def parts_in(breakdowns: Sequence[Breakdown]) -> list[str]:
    """The parts that took any time in these files, in the order in which a file goes through them."""
    seen = {part for one in breakdowns for part, part_s in one.parts_s.items() if part_s > 0}
    known = [part for part in LABELS if part.startswith("phase:")]
    phases = sorted(part for part in seen if part.startswith("phase:"))
    phases.sort(key=lambda part: known.index(part) if part in known else len(known))
    return [part for part in (*FIXED_BEFORE, *phases, *FIXED_AFTER) if part in seen]


def mean(breakdowns: Sequence[Breakdown]) -> dict[str, float]:
    """The mean of each part in seconds; a part that a file has not took no time there."""
    return {part: fmean(one.parts_s.get(part, 0.0) for one in breakdowns) for part in parts_in(breakdowns)}


def around(breakdowns: Sequence[Breakdown], rank: float) -> dict[str, float]:
    """The mean parts of the files around a percentile of the end-to-end latency.

    Percentiles of single stages do not add up to the percentile of the whole; real files do.
    `breakdowns` must be sorted, the fastest first, and not be empty.
    """
    centre = max(0, -(-len(breakdowns) * rank // 100) - 1)
    reach = round(len(breakdowns) * NEIGHBOURS_SHARE)
    return mean(breakdowns[max(0, int(centre) - reach) : int(centre) + reach + 1])

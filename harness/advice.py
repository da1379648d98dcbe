"""Advice on a pipeline's settings: what AWS or arithmetic says will go wrong sooner or later.

In: a pipeline, and what was measured of it, if anything. Out: a sentence for each setting that asks for trouble, with
its reason and source. It forbids nothing; what AWS itself refuses, `harness.pipeline` refuses.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.history import History
from harness.pipeline import VISIBILITY_PER_FUNCTION_TIME, Pipeline
from harness.statistics import percentile

# Amazon Redshift Management Guide, "Quotas and limits": 2,000 on the largest nodes, 500 on the smallest.
WAREHOUSE_CONNECTIONS = 500


@dataclass(frozen=True)
class Measured:
    """What a run has shown: seconds that one file keeps the lock of its stage table, and the longest merge."""

    lock_s: float | None = None
    merge_max_s: float | None = None
    files_per_min: dict[str, float] | None = None


@dataclass(frozen=True)
class Advice:
    """`setting` is its key in pipeline.toml; `source` is where the rule comes from."""

    setting: str
    text: str
    source: str


def measured_in(history: History) -> Measured:
    """What a run has shown: its longest merge, the median COPY, and the rate of each type. Real seconds."""
    copies = [file.phase_ms["copy"] / 1000 for file in history.files.values() if "copy" in file.phase_ms]
    last_at_s = max((file.at_s for file in history.files.values()), default=0.0)
    counts = Counter(file.type for file in history.files.values())
    return Measured(
        lock_s=percentile(copies, 50) if copies else None,
        merge_max_s=max((merge.ended_s - merge.started_s for merge in history.merges), default=None),
        files_per_min={name: count / last_at_s * 60 for name, count in counts.items()} if last_at_s else None,
    )


def advise(pipeline: Pipeline, measured: Measured) -> list[Advice]:
    """Everything there is to say, in the order of the pipeline's sections."""
    return [advice for rule in _RULES for advice in rule(pipeline, measured)]


def _visibility(pipeline: Pipeline, _measured: Measured) -> Iterator[Advice]:
    for name in pipeline.types:
        queue, function = pipeline.queue_of(name), pipeline.function_of(name)
        wanted_s = VISIBILITY_PER_FUNCTION_TIME * function.timeout_s + queue.batch_window_s
        if queue.visibility_timeout_s < wanted_s:
            yield Advice(
                f"types.{name}: queue.visibility_timeout_s",
                f"{queue.visibility_timeout_s} s is less than six times the function's timeout and its batch window, "
                f"{wanted_s} s: throttled batches come back while they are still worked on, and are loaded twice",
                "AWS Lambda Developer Guide, Using Lambda with Amazon SQS",
            )


def _retention(pipeline: Pipeline, _measured: Measured) -> Iterator[Advice]:
    for name in pipeline.types:
        queue = pipeline.queue_of(name)
        if queue.dead_letter_retention_s <= queue.retention_s:
            yield Advice(
                f"types.{name}: queue.dead_letter_retention_s",
                f"{queue.dead_letter_retention_s} s is not longer than the source queue's {queue.retention_s} s: a "
                "dead letter keeps the age it came with, so it can expire as soon as it arrives",
                "Amazon SQS Developer Guide, Using dead-letter queues",
            )


def _receives(pipeline: Pipeline, _measured: Measured) -> Iterator[Advice]:
    for name in pipeline.types:
        count = pipeline.queue_of(name).max_receive_count
        if count < 2:
            yield Advice(
                f"types.{name}: queue.max_receive_count",
                "1 gives a file up after one failure, also when the warehouse was away for a second or the batch was "
                "throttled: AWS advises at least 5 in front of a function",
                "AWS Lambda Developer Guide, Using Lambda with Amazon SQS",
            )
        elif count > 100:
            yield Advice(
                f"types.{name}: queue.max_receive_count",
                f"{count} keeps a broken file coming back for "
                f"{count * pipeline.queue_of(name).visibility_timeout_s / 3600:.0f} h before anybody hears of it",
                "Amazon SQS Developer Guide, Using dead-letter queues",
            )


def _retries_within_retention(pipeline: Pipeline, _measured: Measured) -> Iterator[Advice]:
    for name in pipeline.types:
        queue = pipeline.queue_of(name)
        trying_s = queue.max_receive_count * queue.visibility_timeout_s
        if trying_s >= queue.retention_s:
            yield Advice(
                f"types.{name}: queue.retention_s",
                f"{queue.max_receive_count} receives take {trying_s} s, the queue keeps a message {queue.retention_s} "
                "s: it is deleted before it can reach the dead letter queue",
                "Amazon SQS Developer Guide, Using dead-letter queues",
            )


def _merge(pipeline: Pipeline, measured: Measured) -> Iterator[Advice]:
    worst_s = pipeline.merge.every_s + (measured.merge_max_s or 0.0)
    if worst_s >= pipeline.sla_s:
        took = f" and the longest merge took {measured.merge_max_s:.0f} s" if measured.merge_max_s else ""
        yield Advice(
            "merge.every_s",
            f"a file that just missed a merge waits {pipeline.merge.every_s:g} s{took}: that leaves nothing of the SLA "
            f"of {pipeline.sla_s:g} s",
            "arithmetic",
        )


def _lock(pipeline: Pipeline, measured: Measured) -> Iterator[Advice]:
    if not measured.lock_s:
        return
    for name in pipeline.types:
        concurrency = pipeline.queue_of(name).maximum_concurrency
        rate_per_s = (measured.files_per_min or {}).get(name, 0.0) / 60
        busy = rate_per_s * measured.lock_s
        if busy >= 1:
            yield Advice(
                f"types.{name}: arrival rate",
                f"{rate_per_s * 60:.0f} files a minute that keep the stage table's lock for {measured.lock_s:.2f} s "
                f"each need it {busy:.1f} times at once, and one can have it: load several files with one COPY",
                "Little's law; Redshift's COPY holds its table's write lock",
            )
        service_s = pipeline.function_of(name).worst_case_s
        useful = max(1, round(service_s / measured.lock_s))
        if concurrency is None or concurrency > useful + 1:
            yield Advice(
                f"types.{name}: queue.maximum_concurrency",
                f"{concurrency or 'no limit'}: the stage table's lock serves {1 / measured.lock_s:.1f} files a second, "
                f"which {useful} invocations of {service_s:g} s keep busy; further ones only wait, at your expense",
                "Little's law; Redshift's COPY holds its table's write lock",
            )


def _connections(pipeline: Pipeline, _measured: Measured) -> Iterator[Advice]:
    limits = [pipeline.queue_of(name).maximum_concurrency for name in pipeline.types]
    unlimited = [name for name, limit in zip(pipeline.types, limits, strict=True) if limit is None]
    if unlimited:
        yield Advice(
            "queue.maximum_concurrency",
            f"{', '.join(unlimited)}: without a limit there can be 1,250 functions, each with a connection of its own; "
            f"the warehouse takes {WAREHOUSE_CONNECTIONS}",
            "Amazon Redshift Management Guide, Quotas and limits",
        )
    elif (total := sum(limit or 0 for limit in limits)) > WAREHOUSE_CONNECTIONS:
        yield Advice(
            "queue.maximum_concurrency",
            f"{total} connections over all types are more than the {WAREHOUSE_CONNECTIONS} that the warehouse takes",
            "Amazon Redshift Management Guide, Quotas and limits",
        )


_Rule = Callable[[Pipeline, Measured], Iterator[Advice]]
_RULES: tuple[_Rule, ...] = (
    _visibility, _retention, _receives, _retries_within_retention, _merge, _lock, _connections,
)  # fmt: skip

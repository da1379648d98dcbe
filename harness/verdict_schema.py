"""`verdict.json` as a schema: what CI and people's scripts may rely on, key by key.

In: nothing. Out: a pydantic model whose JSON schema is `docs/reference/verdict.schema.json`. Keys may be added to it;
none may be renamed or change its meaning while `schema` stays 1. A key that `Judgement.to_json` writes and this does
not know fails a test.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Word = Literal["pass", "fail", "inconclusive"]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Percentiles(_Part):
    """By the nearest rank: each is a value that was measured."""

    p50: float
    p95: float
    p99: float
    max: float


class Files(_Part):
    """How many files got how far; each is counted in every line that it reached."""

    scheduled: Count = Field(description="planned by the scenario")
    uploaded: Count = Field(description="acknowledged by S3")
    loaded: Count = Field(description="taken by an invocation without an error")
    merged: Count = Field(description="seen in a final table")
    dead_lettered: Count = Field(description="on a dead letter queue at the end")
    lost: Count = Field(description="delivered, and with records that are nowhere")
    on_the_way: Count = Field(description="with records that were staged or queued when the time to drain was over")
    duplicated: Count = Field(description="with records that are in a final table twice")


class Records(_Part):
    """Every delivered record, counted in the tables after the run."""

    expected: Count = Field(description="delivered")
    merged: Count = Field(description="in a final table")
    dead_lettered: Count = Field(description="in a file on a dead letter queue")
    lost: Count = Field(description="delivered, in no final table and on no dead letter queue, nor on their way there")
    on_the_way: Count = Field(description="in files that were staged or queued when the time to drain was over")
    duplicated: Count = Field(description="more than once in a final table")
    unexpected: Count = Field(description="in a final table, and delivered by nobody")
    altered: Count = Field(description="with another checksum than was delivered")
    superseded: Count = Field(description="replaced by a newer version of their key, as they should be")


class Throughput(_Part):
    """From the first intended time to the last merge; null when nothing was merged."""

    files_per_min: float | None
    records_per_s: float | None


class StartLag(_Part):
    """How much later than intended uploads began, in milliseconds."""

    p50: float
    p99: float
    max: float


class Offered(_Part):
    """What the harness itself did: a run that did not hold its rate is inconclusive."""

    files_per_min: float
    start_lag_ms: StartLag | None
    dropped: Count = Field(description="arrivals that the harness gave up")


class Latency(_Part):
    """Seconds; null where nothing was measured. Stages follow one another: a file's add up to its end to end."""

    end_to_end: Percentiles | None = Field(description="from the intended time to the commit into the final table")
    stages: dict[str, Percentiles | None] = Field(
        description="upload, notify, queue, handler, merge_wait, merge; of a batch job upload, batch_wait, batch, merge"
    )


class Sla(_Part):
    """The limit of the run, which the time scale has divided already."""

    limit_s: float
    met: bool
    worst_s: float | None


class CheckVerdict(_Part):
    """One promise. `detail` is a sentence for people."""

    name: str
    verdict: Word
    detail: str


class MergeRuns(_Part):
    """Runs of the merge job."""

    count: Count
    failed: Count
    delayed: Count = Field(description="that began after their time, because the one before took too long")
    duration_s: Percentiles | None


class BatchRuns(_Part):
    """Runs of the batch job, of a pipeline that has one."""

    count: Count
    failed: Count
    duration_s: Percentiles | None
    dpu_seconds: float


class Cost(_Part):
    """A model: list prices times what the run did."""

    model: str
    usd_per_1000_files: float
    usd_per_million_records: float
    usd_per_day: dict[str, float] = Field(description="by service, at the run's own rate")


class VerdictFile(_Part):
    """What `harness run` and `harness check` say of a run, and `verdict.json` in its directory holds."""

    schema_: Literal[1] = Field(alias="schema")
    verdict: Word = Field(description="the worst of the checks; inconclusive if the run did not go to its end")
    scenario: str
    seed: int
    time_scale: float = Field(description="what the merge interval, the SLA and other limits were divided by")
    warehouse_model: str | None = Field(description="latencies that the warehouse stand-in pretends, in words")
    files: Files
    records: Records
    throughput: Throughput
    offered: Offered
    latency_s: Latency
    sla: Sla
    checks: list[CheckVerdict]
    merge_runs: MergeRuns
    cost: Cost | None
    design: Literal["event", "batch"]
    batch_runs: BatchRuns | None = Field(default=None, description="only of a batch job")
    versions: dict[str, str]
    machine: dict[str, Any]


def json_schema() -> dict[str, Any]:
    """The JSON schema; further keys may come with a later version, so a reader should not refuse them."""
    return dict(_open(VerdictFile.model_json_schema()))


def _open(schema: Any) -> Any:
    """The schema without `additionalProperties: false`, which is this harness's promise to itself, not to readers."""
    if isinstance(schema, dict):
        return {
            name: _open(value)
            for name, value in schema.items()
            if not (name == "additionalProperties" and value is False)
        }
    return [_open(value) for value in schema] if isinstance(schema, list) else schema

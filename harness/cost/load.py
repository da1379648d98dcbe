"""What a day of a pipeline is like, as far as it costs something.

Values only. `assumed` makes one of a pipeline's settings and of figures somebody gives; `harness.cost.measured` makes
one of a run.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from generators.files import encode
from generators.records import make_table
from harness.pipeline import Pipeline

MINUTES_PER_DAY, SECONDS_PER_DAY = 1_440, 86_400
# The published figures of the original: 100 files a minute of 10,000 records, about 25 s of function time a file,
# merges of 1 to 2 minutes every 15 minutes.
ORIGINAL_FILES_PER_MIN = 100.0
ORIGINAL_RECORDS_PER_FILE = 10_000
ORIGINAL_FUNCTION_S = 25.0
ORIGINAL_MERGE_S = 90.0
# Importing pandas and awswrangler on one vCPU; `harness tune memory` measures it for a handler.
ASSUMED_INIT_S = 3.0
# Landing notifications are about 1 kB; measured 700 to 1,100 bytes.
MESSAGE_BYTES = 1_000
SAMPLE_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Load:
    """Means over the files. `origin` says where the figures come from.

    `function_s_per_file` is billed time without the `init_s` of a cold start, `invocations_per_file` counts retries;
    `merge_every_s` is the production
    interval, never a compressed one; `log_bytes_per_file` without Lambda's own lines.
    """

    origin: str
    files_per_day: float
    records_per_file: float
    file_bytes: float
    types: int
    memory_mb: float
    function_s_per_file: float
    invocations_per_file: float
    messages_per_file: float
    copy_s: float
    merge_every_s: float
    merge_s: float
    log_bytes_per_file: float
    init_s: float
    reads_secret: bool = False
    message_bytes: float = MESSAGE_BYTES

    @property
    def environments(self) -> int:
        """Execution environments that are busy at once (Little's law), one a function at least."""
        return max(self.types, math.ceil(self.files_per_day / SECONDS_PER_DAY * self.function_s_per_file))


def assumed(pipeline: Pipeline, files_per_min: float, function_s: float, merge_s: float, copy_s: float) -> Load:
    """The load a pipeline would have; its files are made to see how large they are."""
    types = list(pipeline.types)
    shares = {name: pipeline.types[name].share for name in types}
    whole = sum(shares.values())

    def mean(values: dict[str, float]) -> float:
        return sum(values[name] * shares[name] for name in types) / whole

    return Load(
        origin=f"pipeline {pipeline.name}: settings and assumptions, nothing measured",
        files_per_day=files_per_min * MINUTES_PER_DAY,
        records_per_file=pipeline.records_per_file,
        file_bytes=mean({name: _file_bytes(pipeline, name) for name in types}),
        types=len(types),
        memory_mb=mean({name: pipeline.function_of(name).memory_mb for name in types}),
        function_s_per_file=function_s,
        invocations_per_file=mean({name: 1 / pipeline.queue_of(name).batch_size for name in types}),
        messages_per_file=1.0,
        copy_s=copy_s,
        merge_every_s=pipeline.merge.every_s,
        merge_s=merge_s,
        log_bytes_per_file=300.0,
        init_s=ASSUMED_INIT_S,
        reads_secret=any(
            "REDSHIFT_SECRET_ID" in pipeline.function_of(name).environment for name in types
        ),
    )  # fmt: skip


def _file_bytes(pipeline: Pipeline, type_name: str) -> float:
    dataset = pipeline.dataset(type_name)
    table = make_table(dataset, seed=1, file_index=0, records=pipeline.records_per_file, at=SAMPLE_DAY)
    return float(len(encode(table, dataset.format)))

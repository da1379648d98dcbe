"""What the plugin can be told from outside, read once from environment variables.

In: `os.environ` of the emulator. Out: one frozen `Settings`. Knows nothing of LocalStack.
"""

import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.localstack import environment_rate, s3_delivery
from harness.localstack.capacity import STARTS_PER_CORE
from harness.localstack.s3_delivery import Delivery

ENVIRONMENT_FOOTPRINT_MB = 256
"""What one environment with awswrangler loaded takes, measured; the default bound is the machine's memory by it."""
FEWEST_ENVIRONMENTS = 16
DESCRIPTORS_PER_ENVIRONMENT = 6
"""Open files of the emulator for each environment: 5, measured with 338, and one to spare."""
DESCRIPTORS_RESERVED = 512
"""For all else that the emulator has open."""
MOST_ENVIRONMENTS = 1_000
"""Lambda's default concurrency per account and region (AWS: Lambda quotas)."""


@dataclass(frozen=True)
class Settings:
    """Settings of the executor and the poller."""

    handler_python: str
    """Interpreter of Zip functions whose runtime is not registered: `NRT_HANDLER_PYTHON`."""
    runtimes_file: Path | None
    """JSON of runtime to interpreter or command: `NRT_RUNTIMES`, see `runtimes`."""
    images_file: Path | None
    """JSON of image URI to handler environment: `NRT_IMAGES`."""
    trace_file: Path | None
    """Where one JSON line per invocation is appended: `NRT_TRACE_FILE`."""
    max_environments: int
    """Processes that may be alive at once: `NRT_MAX_ENVIRONMENTS`."""
    max_starts: int
    """Processes that may be starting at once: `NRT_MAX_STARTS`, default four for each core."""
    concurrency_scaling_rate: int
    """Environments each function may get every 10 s: `NRT_CONCURRENCY_SCALING_RATE`, default AWS's 1,000."""
    private_tmp: bool
    """Whether each environment gets its own `/tmp` (needs mount rights): `NRT_PRIVATE_TMP`, default when possible."""
    s3_events: Delivery
    """How S3 notifications are delivered: `NRT_S3_EVENTS`, see `s3_delivery`."""
    poller: str
    """`aws` installs the scaling SQS poller; anything else leaves LocalStack's own: `NRT_SQS_POLLER`."""


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        ValueError: NRT_MAX_ENVIRONMENTS, NRT_MAX_STARTS or NRT_CONCURRENCY_SCALING_RATE is not a positive whole number,
            NRT_MAX_ENVIRONMENTS is more than this process may have files open for, or NRT_S3_EVENTS is not as it should
            be.
    """
    images, runtimes = environ.get("NRT_IMAGES"), environ.get("NRT_RUNTIMES")
    trace = environ.get("NRT_TRACE_FILE")
    return Settings(
        handler_python=environ.get("NRT_HANDLER_PYTHON") or sys.executable,
        runtimes_file=Path(runtimes) if runtimes else None,
        images_file=Path(images) if images else None,
        trace_file=Path(trace) if trace else None,
        max_environments=_max_environments(_number(environ, "NRT_MAX_ENVIRONMENTS")),
        max_starts=_number(environ, "NRT_MAX_STARTS") or STARTS_PER_CORE * len(os.sched_getaffinity(0)),
        concurrency_scaling_rate=_number(environ, "NRT_CONCURRENCY_SCALING_RATE") or environment_rate.ENVIRONMENTS,
        private_tmp=environ.get("NRT_PRIVATE_TMP", "1") not in ("0", "false"),
        s3_events=s3_delivery.parse(environ.get("NRT_S3_EVENTS", "")),
        poller=environ.get("NRT_SQS_POLLER", ""),
    )


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if text and (not text.isdecimal() or int(text) < 1):
        raise ValueError(f"{name}: {text!r} is not a positive whole number")
    return int(text) if text else None


def _max_environments(configured: int | None) -> int:
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        descriptors = sys.maxsize
    most = max(1, (descriptors - DESCRIPTORS_RESERVED) // DESCRIPTORS_PER_ENVIRONMENT)
    if configured is None:
        memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        return min(most, max(FEWEST_ENVIRONMENTS, min(MOST_ENVIRONMENTS, memory_mb // ENVIRONMENT_FOOTPRINT_MB)))
    if configured > most:
        raise ValueError(
            f"NRT_MAX_ENVIRONMENTS: {configured} need more than the {descriptors} open files that a process may have "
            f"(ulimit -Hn); {most} do not"
        )
    return configured

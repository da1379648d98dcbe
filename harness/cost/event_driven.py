"""The bill of the event-driven design: S3 → SQS → Lambda → Redshift, merged every few minutes.

In: a `Load`, a `Setup` and prices. Out: a `Bill`. Every line's formula is in docs/cost.md, with a worked example.
"""

import math
from dataclasses import dataclass

from harness.cost.bill import DAYS_PER_MONTH, Bill, Line
from harness.cost.load import SECONDS_PER_DAY, Load
from harness.cost.price_list import Prices

MB_PER_GB = 1_024
GB_BYTES = 1e9
SQS_REQUEST_BYTES = 64 * 1_024
# An event source mapping polls with five threads at first, each with long polls of 20 s (AWS Lambda Developer Guide).
POLLERS, LONG_POLL_S = 5, 20.0
# Counted in the emulator's log of a run of this project's handler: COPY lists what was staged, once, and reads it; the
# handler lists nothing (`wr.redshift.copy` would, twice), and asks for the file with HEAD and GET. Deleting is free.
LISTS_PER_FILE, GETS_PER_FILE = 1, 3
# START, END and REPORT of an invocation (platform_log.log_text), and CloudWatch's 26 bytes an event.
PLATFORM_LOG_BYTES, LOG_EVENT_BYTES = 270, 26
SERVERLESS_MINIMUM_S = 60.0


@dataclass(frozen=True)
class Setup:
    """What is chosen, not measured. `warehouse` is serverless, provisioned or none.

    AWS ends environments when it sees fit, within hours; `warm_hours` is how long one is taken to live.
    """

    architecture: str = "x86_64"
    warehouse: str = "serverless"
    rpus: int = 8
    node_type: str = "ra3.xlplus"
    nodes: int = 2
    landing_days: int = 30
    warm_hours: float = 2.0


def bill(load: Load, setup: Setup, prices: Prices, days: float) -> Bill:
    """What `days` of the load cost.

    Raises:
        UsageError: a price is not known.
    """
    lines = [*_lambda(load, setup, prices, days), *_sqs(load, prices, days), *_s3_own(load, prices, days),
             *_logs(load, prices, days), *_secrets(load, setup, prices, days),
             *landing(load, setup, prices, days), *warehouse(setup, prices, days, busy_share(load))]  # fmt: skip
    return Bill("event-driven", prices.region, days, tuple(lines))


def _lambda(load: Load, setup: Setup, prices: Prices, days: float) -> list[Line]:
    files = load.files_per_day * days
    key = f"lambda_gb_s_{setup.architecture}"
    cold_starts = _cold_starts(load, setup, days)
    invocations = files * load.invocations_per_file
    return [
        Line("Lambda", "requests", invocations, "requests", prices["lambda_requests"],
             f"{files:,.0f} files × {load.invocations_per_file:.3g} invocations", "lambda_requests"),
        Line("Lambda", f"duration, {setup.architecture}",
             files * load.function_s_per_file * load.memory_mb / MB_PER_GB, "GB-s", prices[key],
             f"{files:,.0f} files × {load.function_s_per_file:.4g} s billed × {load.memory_mb:,.0f} MB", key),
        Line("Lambda", f"cold starts, {setup.architecture}", cold_starts * load.init_s * load.memory_mb / MB_PER_GB,
             "GB-s", prices[key], f"{load.environments} environments, {load.init_s:.3g} s each {setup.warm_hours:g} h",
             key),
    ]  # fmt: skip


def _cold_starts(load: Load, setup: Setup, days: float) -> float:
    return load.environments * days * 24 / setup.warm_hours


def _sqs(load: Load, prices: Prices, days: float) -> list[Line]:
    files, price = load.files_per_day * days, prices["sqs_requests"]
    messages, batches = files * load.messages_per_file, files * load.invocations_per_file
    send_units = math.ceil(load.message_bytes / SQS_REQUEST_BYTES)
    in_batch = messages / batches if batches else 0.0
    receive_units = max(1, math.ceil(load.message_bytes * in_batch / SQS_REQUEST_BYTES))
    work = messages * send_units + batches * (receive_units + 1)
    empty = empty_receives_per_s(batches / (days * SECONDS_PER_DAY) / load.types) * load.types * days * SECONDS_PER_DAY
    return [
        Line("SQS", "send, receive, delete", work, "requests", price,
             f"{messages:,.0f} sends, {batches:,.0f} receives and deletes of batches", "sqs_requests"),
        Line("SQS", "empty receives", empty, "requests", price,
             f"{load.types} queues × {POLLERS} pollers, long polls of {LONG_POLL_S:g} s", "sqs_requests"),
    ]  # fmt: skip


def empty_receives_per_s(batches_per_s: float) -> float:
    """Of one queue. Each poller gets a batch at random times, or nothing for the length of a long poll.

    With no traffic that is one each 20 s and poller; with a lot of it, none. A renewal process: a poll lasts
    min(Exp(rate), 20 s) and is empty with probability exp(-20 rate).
    """
    rate = batches_per_s / POLLERS
    if rate * LONG_POLL_S < 1e-9:
        return POLLERS / LONG_POLL_S
    empty = math.exp(-rate * LONG_POLL_S)
    return POLLERS * rate * empty / (1 - empty)


def _s3_own(load: Load, prices: Prices, days: float) -> list[Line]:
    files = load.files_per_day * days * load.messages_per_file
    return [
        Line("S3", "staging PUT and LIST", files * (1 + LISTS_PER_FILE), "requests", prices["s3_put_list"],
             f"{files:,.0f} files × (1 PUT + {LISTS_PER_FILE} LIST)", "s3_put_list"),
        Line("S3", "GET and HEAD", files * GETS_PER_FILE, "requests", prices["s3_get"],
             f"{files:,.0f} files × {GETS_PER_FILE}", "s3_get"),
    ]  # fmt: skip


def _logs(load: Load, prices: Prices, days: float) -> list[Line]:
    files = load.files_per_day * days
    per_file = load.log_bytes_per_file + LOG_EVENT_BYTES
    platform = load.invocations_per_file * (PLATFORM_LOG_BYTES + 3 * LOG_EVENT_BYTES)
    return [
        Line("CloudWatch", "logs ingested", files * (per_file + platform) / GB_BYTES, "GB", prices["logs_ingested_gb"],
             f"{files:,.0f} files × {per_file + platform:,.0f} bytes", "logs_ingested_gb")
    ]  # fmt: skip


def _secrets(load: Load, setup: Setup, prices: Prices, days: float) -> list[Line]:
    if not load.reads_secret:
        return []
    calls = _cold_starts(load, setup, days)
    return [
        Line("Secrets Manager", "secret", days / DAYS_PER_MONTH, "secret-months", prices["secrets_month"],
             "1 secret", "secrets_month"),
        Line("Secrets Manager", "reads", calls, "calls", prices["secrets_calls"],
             f"{load.environments} environments, a cold start each {setup.warm_hours:g} h", "secrets_calls"),
    ]  # fmt: skip


def landing(load: Load, setup: Setup, prices: Prices, days: float) -> list[Line]:
    """What the files cost to land and to keep, whatever loads them."""
    files = load.files_per_day * days
    kept_gb = load.files_per_day * setup.landing_days * load.file_bytes / GB_BYTES
    return [
        Line("S3", "landing PUT", files, "requests", prices["s3_put_list"], f"{files:,.0f} files", "s3_put_list",
             shared=True),
        Line("S3", "landing storage", kept_gb * days / DAYS_PER_MONTH, "GB-months", prices["s3_gb_month"],
             f"{kept_gb:,.1f} GB: {setup.landing_days} days of files of {load.file_bytes / 1e6:.2f} MB", "s3_gb_month",
             shared=True),
    ]  # fmt: skip


def busy_share(load: Load) -> float:
    """The share of the time for which a serverless warehouse is paid.

    Each COPY and each merge keeps it running, for a minute at least. Files come evenly, so COPYs cover
    min(1, rate × their time); merges fall beside them.
    """
    copies = load.files_per_day / SECONDS_PER_DAY * max(SERVERLESS_MINIMUM_S, load.copy_s)
    merges = max(SERVERLESS_MINIMUM_S, load.merge_s) / load.merge_every_s
    return min(1.0, copies + merges)


def warehouse(setup: Setup, prices: Prices, days: float, busy: float) -> list[Line]:
    """The warehouse while it loads and merges; its storage and its readers are not in it."""
    if setup.warehouse == "none":
        return []
    if setup.warehouse == "provisioned":
        key = f"redshift_node_hour_{setup.node_type}"
        return [
            Line("Redshift", f"{setup.node_type}, provisioned", setup.nodes * days * 24, "node-hours", prices[key],
                 f"{setup.nodes} nodes, {days:g} days", key, shared=True)
        ]  # fmt: skip
    return [
        Line("Redshift", "serverless", setup.rpus * days * 24 * busy, "RPU-hours", prices["redshift_rpu_hour"],
             f"{setup.rpus} RPU, busy {busy:.1%} of {days:g} days", "redshift_rpu_hour", shared=True)
    ]  # fmt: skip

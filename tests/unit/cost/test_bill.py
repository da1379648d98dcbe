"""Every line of both bills against a calculation by hand, with round prices."""

import math
from dataclasses import replace

import pytest

from harness.cost import batch, event_driven
from harness.cost.batch import BatchJob
from harness.cost.bill import DAYS_PER_MONTH, Bill
from harness.cost.comparison import compare, sensitivity
from harness.cost.event_driven import Setup, busy_share, empty_receives_per_s
from harness.cost.load import Load
from harness.cost.price_list import Price, Prices
from harness.errors import UsageError

PRICES = Prices(
    "moon-1",
    {
        "lambda_requests": Price(0.2, 1_000_000),
        "lambda_gb_s_x86_64": Price(0.00002),
        "lambda_gb_s_arm64": Price(0.000016),
        "sqs_requests": Price(0.4, 1_000_000),
        "s3_put_list": Price(0.005, 1_000),
        "s3_get": Price(0.0004, 1_000),
        "s3_gb_month": Price(0.02),
        "logs_ingested_gb": Price(0.5),
        "redshift_rpu_hour": Price(0.4),
        "redshift_node_hour_ra3.xlplus": Price(1.0),
        "glue_dpu_hour": Price(0.44),
        "secrets_month": Price(0.4),
        "secrets_calls": Price(0.05, 10_000),
    },
    {"lambda_requests": 1_000_000},
)
# The original's load: 144,000 files a day, 25 s each at 1 GB.
LOAD = Load(
    origin="by hand", files_per_day=144_000, records_per_file=10_000, file_bytes=1_000_000, types=4, memory_mb=1_024,
    function_s_per_file=25.0, invocations_per_file=1.0, messages_per_file=1.0, copy_s=1.0, merge_every_s=900,
    merge_s=90, log_bytes_per_file=596, init_s=2.0,
)  # fmt: skip


def line(bill: Bill, what: str) -> tuple[float, float]:
    """Quantity and amount of one line."""
    [found] = [one for one in bill.lines if one.what.startswith(what)]
    return found.quantity, round(found.amount_usd, 6)


@pytest.fixture
def bill() -> Bill:
    return event_driven.bill(LOAD, Setup(), PRICES, 10)


def test_lambda_requests_are_invocations(bill: Bill) -> None:
    assert line(bill, "requests") == (1_440_000, 0.288)  # 1.44 million × $0.20


def test_lambda_duration_is_billed_seconds_times_memory(bill: Bill) -> None:
    assert line(bill, "duration") == (36_000_000, 720.0)  # 1,440,000 × 25 s × 1 GB × $0.00002


def test_lambda_on_arm_has_a_price_of_its_own() -> None:
    bill = event_driven.bill(LOAD, Setup(architecture="arm64"), PRICES, 10)
    assert line(bill, "duration, arm64") == (36_000_000, 576.0)


def test_cold_starts_are_paid_for_each_environment_now_and_then(bill: Bill) -> None:
    assert LOAD.environments == 42  # Little: 100/60 a second × 25 s = 41.7
    assert line(bill, "cold starts") == (10_080, 0.2016)  # 42 × 10 × 24 / 2 × 2 s × 1 GB × $0.00002


def test_sqs_sends_receives_and_deletes(bill: Bill) -> None:
    assert line(bill, "send, receive") == (4_320_000, 1.728)  # three a file × $0.40 a million


def test_sqs_counts_64_kb_as_one_request() -> None:
    large = replace(LOAD, message_bytes=200_000)  # 200,000 / 65,536: 4 units to send, 4 to receive, 1 to delete
    assert line(event_driven.bill(large, Setup(), PRICES, 1), "send, receive")[0] == 144_000 * 9
    batched = replace(LOAD, message_bytes=20_000, invocations_per_file=0.1)  # 10 × 20 kB are 4 units
    assert line(event_driven.bill(batched, Setup(), PRICES, 1), "send, receive")[0] == 144_000 + 14_400 * 5


def test_idle_queues_are_polled_every_20_s_by_five_pollers() -> None:
    assert empty_receives_per_s(0.0) == 0.25
    nearly_idle = replace(LOAD, files_per_day=1e-9)
    quantity, _ = line(event_driven.bill(nearly_idle, Setup(), PRICES, 1), "empty")
    assert quantity == pytest.approx(4 * 5 * 86_400 / 20)  # 86,400 a day: $0.03


def test_a_busy_queue_has_few_empty_receives() -> None:
    # a batch each 2 s and queue: each poller gets one each 10 s; P(none in 20 s) = e^-2
    assert empty_receives_per_s(0.5) == pytest.approx(5 * 0.1 * math.exp(-2) / (1 - math.exp(-2)))
    assert empty_receives_per_s(100.0) < 1e-100


def test_s3_requests_of_the_handler_and_of_copy(bill: Bill) -> None:
    assert line(bill, "staging PUT") == (2_880_000, 14.4)  # 1 PUT and 1 LIST a file × $0.005 a thousand
    assert line(bill, "GET and HEAD") == (4_320_000, 1.728)


def test_s3_landing(bill: Bill) -> None:
    assert line(bill, "landing PUT") == (1_440_000, 7.2)
    # 30 days of 144,000 files of 1 MB are 4,320 GB; kept for 10 of 30.42 days at $0.02
    assert line(bill, "landing storage")[1] == pytest.approx(4_320 * 10 / DAYS_PER_MONTH * 0.02)


def test_logs_are_the_handlers_lines_and_lambdas_own(bill: Bill) -> None:
    per_file = 596 + 26 + 270 + 3 * 26  # 970 bytes
    assert line(bill, "logs")[0] == pytest.approx(1_440_000 * per_file / 1e9)


def test_a_serverless_warehouse_is_paid_while_it_is_busy() -> None:
    # 1,440 files a day keep it busy all day: one a minute, and each for a minute at least
    assert busy_share(replace(LOAD, files_per_day=1_440)) == 1.0
    # 144 a day: a tenth of the time, and merges of 90 s in 900 s another tenth
    quiet = replace(LOAD, files_per_day=144)
    assert busy_share(quiet) == pytest.approx(0.2)
    assert line(event_driven.bill(quiet, Setup(rpus=8), PRICES, 10), "serverless")[1] == pytest.approx(
        8 * 240 * 0.2 * 0.4
    )
    # a merge of a second costs a minute
    assert busy_share(replace(quiet, merge_s=1.0)) == pytest.approx(0.1 + 60 / 900)


def test_a_provisioned_warehouse_is_paid_by_the_hour() -> None:
    bill = event_driven.bill(LOAD, Setup(warehouse="provisioned", nodes=2), PRICES, 10)
    assert line(bill, "ra3.xlplus") == (480, 480.0)
    assert not [one for one in event_driven.bill(LOAD, Setup(warehouse="none"), PRICES, 1).lines
                if one.service == "Redshift"]  # fmt: skip


def test_secrets_are_priced_where_they_are_used() -> None:
    assert not [one for one in event_driven.bill(LOAD, Setup(), PRICES, 1).lines if one.service == "Secrets Manager"]
    bill = event_driven.bill(replace(LOAD, reads_secret=True), Setup(warm_hours=2), PRICES, 10)
    assert line(bill, "reads") == (5_040, 0.0252)  # 42 × 10 × 24 / 2
    assert line(bill, "secret")[1] == pytest.approx(0.4 * 10 / DAYS_PER_MONTH, rel=1e-4)


def test_glue_is_paid_by_the_dpu_hour() -> None:
    bill = batch.bill(LOAD, BatchJob(dpus=10, run_s=900), Setup(), PRICES, 10)
    assert line(bill, "job runs") == (1_200, 528.0)  # 480 runs × 10 DPUs × a quarter of an hour × $0.44
    assert line(bill, "GET") == (1_440_000, 0.576)
    assert line(bill, "LIST") == (480 * 4, 0.0096)  # 750 files of each type and run: one page each


def test_glue_charges_a_minute_at_least() -> None:
    assert line(batch.bill(LOAD, BatchJob(dpus=60, run_s=5), Setup(), PRICES, 1), "job runs")[0] == 48  # 48 × 60 × 1/60


def test_what_both_designs_have_is_left_out_of_their_own() -> None:
    found = compare(LOAD, Setup(), BatchJob(), PRICES, 10)
    assert {one.what for one in found.new.lines if one.shared} == {"landing PUT", "landing storage", "serverless"}
    assert found.own_ratio == pytest.approx(found.new.own_usd / found.old.own_usd)
    assert found.new.own_usd == pytest.approx(found.new.total_usd - sum(
        one.amount_usd for one in found.new.lines if one.shared))  # fmt: skip


def test_the_figures_for_a_tenth_give_a_tenth() -> None:
    found = compare(LOAD, Setup(), BatchJob(), PRICES, 10)
    longer = BatchJob(run_s=found.old_minutes_for_tenth * 60)
    assert compare(LOAD, Setup(), longer, PRICES, 10).own_ratio == pytest.approx(0.1)
    quicker = replace(LOAD, function_s_per_file=found.function_s_for_tenth)
    assert compare(quicker, Setup(), BatchJob(), PRICES, 10).own_ratio == pytest.approx(0.1, rel=0.01)


def test_the_free_tier_is_taken_off_once() -> None:
    bill = event_driven.bill(LOAD, Setup(), PRICES, 10).after_free_tier(PRICES)
    free = 1_000_000 * 10 / DAYS_PER_MONTH
    assert line(bill, "requests")[0] == pytest.approx(1_440_000 - free)
    assert line(bill, "send, receive")[0] == 4_320_000


def test_sensitivity_goes_the_right_way() -> None:
    found = sensitivity(replace(LOAD, files_per_day=144), Setup(), PRICES)
    by_what: dict[str, list[float]] = {}
    for one in found:
        by_what.setdefault(one.what, []).append(one.usd_per_day)
    assert by_what["batch size"] == sorted(by_what["batch size"], reverse=True)
    assert by_what["memory"] == sorted(by_what["memory"])
    assert by_what["merge interval"] == sorted(by_what["merge interval"], reverse=True)
    computing = [one.computing_usd for one in found if one.what == "memory"]
    # below one vCPU, time that is all CPU costs the same at any memory size
    assert computing[0] == pytest.approx(computing[2], rel=0.01)


def test_an_unknown_price_is_an_error_not_nothing() -> None:
    with pytest.raises(UsageError, match=r"redshift_node_hour_dc2\.large in moon-1"):
        event_driven.bill(LOAD, Setup(warehouse="provisioned", node_type="dc2.large"), PRICES, 1)

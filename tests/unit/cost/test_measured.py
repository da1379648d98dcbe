"""What a run has shown, priced: billed durations, retries, memory, the production merge interval."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.cost.event_driven import PLATFORM_LOG_BYTES
from harness.cost.measured import load_of
from harness.errors import UsageError
from harness.localstack.outcome import Outcome, Status
from harness.localstack.platform_log import LoggedFunction, log_text
from tests.unit.run_fixtures import START_S, good_run, invocation

FUNCTIONS = {
    f"load-{name}": {"memory_mb": 512, "batch_size": 1, "reads_secret": False} for name in ("orders", "clicks")
}
PROVISIONED = {"event": "provisioned", "max_receive_count": {}, "faults": [], "functions": FUNCTIONS}


def test_a_files_billed_time_is_apart_from_initialisation() -> None:
    # four invocations of 480 ms, two of them with an initialisation of 300 ms before
    load = load_of(good_run().adding(PROVISIONED).evidence)
    assert load.function_s_per_file == pytest.approx(0.480)
    assert load.init_s == pytest.approx(0.300)
    assert load.memory_mb == pytest.approx(512)
    assert (load.invocations_per_file, load.messages_per_file, load.file_bytes) == (1, 1, 4_000)
    assert load.merge_s == pytest.approx(2)
    assert load.merge_every_s == 900  # 15 s at time scale 60
    assert load.files_per_day == pytest.approx(60 * 1_440)  # four files in four seconds


def test_a_retry_is_paid_for() -> None:
    again = good_run().adding(PROVISIONED, invocation(1, start_s=START_S + 9, end_s=START_S + 9.5, init_ms=None))
    load = load_of(again.evidence)
    assert load.invocations_per_file == pytest.approx(5 / 4)
    assert load.messages_per_file == 1  # the same message again


def test_memory_is_needed_and_can_be_given() -> None:
    with pytest.raises(UsageError, match="--memory"):
        load_of(good_run().evidence)
    assert load_of(good_run().evidence, memory_mb=2_048).memory_mb == pytest.approx(2_048)


def test_a_run_that_loaded_nothing_has_no_price() -> None:
    with pytest.raises(UsageError, match="nothing to price"):
        load_of(good_run().without("invocation").evidence)


def test_the_platforms_own_log_lines_are_as_long_as_counted() -> None:
    outcome = Outcome(Status.OK, b"{}", "", START_S, START_S + 25, 25_000.12, cold=False, peak_memory_mb=180)
    text = log_text(outcome, "10fdf45-3402-4500-ae9b-72b563478e3ee", LoggedFunction("loader", "$LATEST", 1_024))
    assert len(text.encode()) == pytest.approx(PLATFORM_LOG_BYTES, rel=0.1)


def test_the_command_prices_a_stored_run(tmp_path: Path) -> None:
    run = good_run().adding(PROVISIONED).store(tmp_path / "run")
    result = CliRunner().invoke(cli, ["cost", str(run.path), "--rate", "100/min", "--days", "1", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["load"]["files_per_day"] == 144_000
    duration = next(one for one in found["event_driven"]["lines"] if one["what"].startswith("duration"))
    assert duration["quantity"] == pytest.approx(144_000 * 0.48 * 0.5)
    assert duration["amount_usd"] == pytest.approx(144_000 * 0.48 * 0.5 * 0.0000166667)
    assert found["comparison"]["published_ratio"] == 0.1


def test_every_line_says_quantity_times_price(tmp_path: Path) -> None:
    run = good_run().adding(PROVISIONED).store(tmp_path / "run")
    result = CliRunner().invoke(cli, ["cost", str(run.path), "--html", str(tmp_path / "cost.html")])
    assert result.exit_code == 0, result.output
    assert "× $0.0000166667 per GB-s" in result.stdout
    assert "new / old = " in result.stdout
    assert "published: about 0.1" in result.stdout
    page = (tmp_path / "cost.html").read_text(encoding="utf-8")
    assert "× $0.0000166667 per GB-s" in page
    assert "<script src=" not in page


def test_what_is_neither_run_nor_pipeline_is_one_line() -> None:
    result = CliRunner().invoke(cli, ["cost", "nowhere"])
    assert isinstance(result.exception, UsageError)
    assert "nowhere: neither a run" in str(result.exception)

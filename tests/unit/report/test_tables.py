"""The tables say what the ledger says."""

from harness.report import accounts, tables
from harness.report.tables import Row, Table
from tests.unit.run_fixtures import RECORDS, Run, dead_letter, good_run, invocation, key_of

GOOD = good_run()


def _row(table: Table, first: str) -> Row:
    return next(row for row in table.rows if row.cells[0] == first)


def _lost(run: Run, index: int, **counts: int) -> Run:
    return run.changing("accounted", {"index": index}, **counts)


def test_percentiles_per_stage_and_type() -> None:
    table = tables.percentiles(GOOD.evidence)
    assert _row(table, "end to end, all types").cells == ("end to end, all types", "4", "4 s", "6 s", "6 s", "6 s")
    assert _row(table, "merge").cells == ("merge", "4", "1 s", "1 s", "1 s", "1 s")
    assert _row(tables.percentiles(GOOD.without("merged").evidence), "merge").cells[1:] == ("0", "–", "–", "–", "–")
    assert not any(row.bad for row in table.rows)
    assert _row(tables.percentiles(GOOD.supposing(sla_s=5.5).evidence), "end to end, orders").bad


def test_the_accounting_adds_up_over_types() -> None:
    run = _lost(_lost(GOOD, 0, merged=90, missing=10), 1, duplicated=2, altered=1).adding(dead_letter(3))
    table = accounts.accounting(_lost(run, 3, merged=0, missing=RECORDS).evidence)
    columns = [column.title for column in table.columns]
    orders, clicks, both = (dict(zip(columns, row.cells, strict=True)) for row in table.rows)
    assert (orders["lost"], clicks["doubled"], clicks["altered"], clicks["dead-lettered"]) == ("10", "2", "1", "1")
    assert (both["files due"], both["records delivered"], both["in final table"], both["lost"]) == (
        "4",
        "400",
        "290",
        "10",
    )
    assert [row.bad for row in table.rows] == [True, True, True]


def test_what_was_not_counted_is_a_dash_not_a_nought() -> None:
    table = accounts.accounting(GOOD.without("accounted").without("accounted_type").evidence)
    assert {cell for row in table.rows for cell in row.cells[4:]} == {"–"}


def test_files_with_trouble_are_named_with_their_attempts() -> None:
    run = _lost(GOOD, 2, merged=0, missing=RECORDS, in_stage=RECORDS)
    run = run.adding(invocation(2, request_id="again", status="timeout", error_type="Sandbox.Timedout"))
    (row,) = accounts.troubled(run.evidence).rows
    attempts = "request-2 (ok); again (Sandbox.Timedout)"
    assert row.cells == (key_of(2), "100 of 100 records lost; 100 still staged", "merged", attempts)
    assert accounts.troubled(GOOD.evidence).rows == ()


def test_files_that_were_never_delivered_say_why() -> None:
    run = GOOD.without("uploaded", index=1).without("accounted", index=1)
    run = run.adding({"event": "dropped", "index": 1, "reason": "no free\nconnection"})
    assert accounts.troubled(run.evidence).rows[0].cells[1] == "not delivered: no free connection"


def test_a_long_list_of_trouble_says_that_it_was_cut() -> None:
    run = good_run(accounts.FILES_MAX + 5).without("merged").without("accounted")
    table = accounts.troubled(run.evidence)
    assert len(table.rows) == accounts.FILES_MAX
    assert table.note == "5 more are not listed."


def test_dead_letters_come_with_what_the_handler_said() -> None:
    said = {"event": "file_failed", "file": key_of(1), "error": "row 3 is no number"}
    run = GOOD.changing("invocation", {"request_id": "request-1"}, log_lines=[said]).adding(dead_letter(1))
    (row,) = accounts.dead_letters(run.evidence).rows
    assert row.cells == (
        "clicks", "3", "received 3 times; the handler said last: row 3 is no number", key_of(1),
    )  # fmt: skip
    stranger = GOOD.adding(dead_letter(1, keys=[]))
    assert accounts.dead_letters(stranger.evidence).rows[0].cells[3] == "message message-1"


def test_merge_runs_tell_rows_delays_and_errors() -> None:
    (row,) = tables.merges(GOOD.evidence).rows
    assert row.cells == ("1", "5.0 s", "on time", "2 s", "orders: insert 200; clicks: insert 200")
    broken = [{"type": "orders", "started_s": 1.0, "committed_s": None, "rows": [], "error": "lock\ntimeout"}]
    (row,) = tables.merges(GOOD.changing("merge_run", {}, types=broken, delayed_s=1.5).evidence).rows
    assert (row.cells[2], row.cells[4], row.bad) == ("1.5 s", "orders: lock timeout", True)


def test_the_slowest_files_name_their_longest_part() -> None:
    first = tables.slowest(GOOD.evidence).rows[0]
    assert first.cells == ("#1", "6 s", "1", "merge wait, 4.3 s (72 %)", key_of(1))


def test_times_say_what_is_scaled() -> None:
    assert _row(tables.times(GOOD.evidence), "SLA").cells == ("SLA", "scaled", "30 s", "30 min")
    real = tables.times(GOOD.supposing(time_scale=1.0).evidence)
    assert _row(real, "SLA").cells == ("SLA", "real", "30 s", "30 s")


def test_facts_hold_scenario_versions_and_machine() -> None:
    cells = dict(row.cells for row in tables.facts(GOOD.evidence).rows)
    assert cells["version of python"] == "3.11.7"
    assert cells["machine"] == "2 CPUs, 24.0 GiB of memory, Linux 6.1, x86_64"
    assert cells["seed"] == "7"

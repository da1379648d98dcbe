"""The station that is at fault is found by counting rows from one to the next, and no other is blamed."""

import pytest

from harness.report import story
from harness.report.stations import stations
from harness.report.suspects import stations_at_fault, suspects
from harness.report.words import legible
from tests.unit.run_fixtures import RECORDS, START_S, Run, dead_letter, good_run, invocation, key_of, merge_run

GOOD = good_run()
ROWS = 2 * RECORDS  # of each of the two types


def _merged(taken: int, put: int) -> Run:
    """The run whose merges say that they took and put so many rows of each type."""
    types = [
        entry | {"rows": [{"statement": "INSERT INTO public.x", "rows": put},
                          {"statement": "DELETE FROM stage.x USING taken", "rows": taken}]}
        for entry in merge_run(1, START_S + 5)["types"]
    ]  # fmt: skip
    return GOOD.changing("merge_run", {}, types=types)


def _losing(run: Run, final: int = ROWS - 10) -> Run:
    return run.changing("accounted", {"index": 2}, merged=RECORDS - 10, missing=10).changing(
        "accounted_type", {"type": "orders"}, final_rows=final
    )


def _line(index: int, **changes: object) -> dict[str, object]:
    return {"log_lines": [invocation(index)["log_lines"][0] | changes]}


LOADED_LESS = _losing(GOOD).changing("invocation", {"request_id": "request-2"}, **_line(2, rows=RECORDS - 10))
NOT_COUNTED = GOOD.changing("merge_run", {}, types=[entry | {"rows": []} for entry in merge_run(1, START_S)["types"]])
REJECT = GOOD.changing("planned", {"index": 3}, reject=True)


@pytest.mark.parametrize(
    ("run", "station", "words"),
    [
        (LOADED_LESS, "handler", f"loaded fewer rows than were delivered, such as 90 of 100 of {key_of(2)}"),
        (_losing(_merged(ROWS - 10, ROWS - 10)), "handler", "only 190 were in the stage table when it was merged"),
        (_losing(_merged(ROWS, ROWS - 10)), "merge", "all 200 orders rows were staged, and the merge carried 190"),
        (_losing(_merged(ROWS, ROWS)), "final", "which now holds 190: something deleted them after the merge"),
        (_losing(NOT_COUNTED), "merge", "or something that deletes from the final table"),
        (GOOD.changing("accounted", {"index": 1}, duplicated=3), "merge", "came to the function once only"),
        (
            GOOD.changing("accounted", {"index": 1}, duplicated=3).adding(invocation(1, request_id="again")),
            "merge",
            "it does not look whether a key is there",
        ),
        (GOOD.changing("accounted", {"index": 1}, altered=RECORDS), "handler", "Every record of 1 file (clicks)"),
        (
            GOOD.changing("accounted_type", {"type": "clicks"}, unexpected=3, unexpected_from="alien.csv"),
            "final",
            "rows that nobody delivered in this run, such as from alien.csv",
        ),
        (
            GOOD.changing("merge_run", {}, types=[entry | {"error": "no such column"} for entry in
                                                  merge_run(1, START_S + 5)["types"]]),
            "merge",
            "failed and rolled back: orders: no such column",
        ),
        (GOOD.adding(dead_letter(3, reason="no gzip")), "handler", "failed each time: “no gzip” (1×)"),
        (REJECT, "handler", "that it had to refuse"),
    ],
    ids=["loaded less", "staged less", "merged less", "deleted", "not known", "doubled once", "doubled twice",
         "altered", "unexpected", "merge failed", "dead letter", "not refused"],
)  # fmt: skip
def test_the_station_at_fault_is_named_with_what_speaks_for_it(run: Run, station: str, words: str) -> None:
    (found,) = suspects(run.evidence)
    assert found.station == station
    assert words in found.why
    marked = [one.name for one in stations(run.evidence, stations_at_fault(run.evidence)) if one.at_fault]
    assert marked == [station]
    assert found.why in story.findings(run.judged_by())


@pytest.mark.parametrize(
    ("run", "station", "words"),
    [
        (
            GOOD.without("invocation", request_id="request-2"),
            "handler",
            "1 file was still on a queue that the functions did not empty when the time to drain was over",
        ),
        (
            GOOD.changing("invocation", {"request_id": "request-2"}, batch_item_failures=["message-2"],
                          log_lines=[{"event": "file_failed", "file": key_of(2), "error": "no gzip"}]),
            "handler",
            "took them with an error each time when the time to drain was over, so their records are not in the final "
            "table (an invocation took 500 ms); the handler said: “no gzip” (1×).",
        ),
        (GOOD, "merge", "1 file was still in the stage table, waiting for a merge run"),
    ],
    ids=["queue", "errors", "stage"],
)  # fmt: skip
def test_what_was_still_on_its_way_is_not_said_to_have_vanished(run: Run, station: str, words: str) -> None:
    others = [key_of(0)]
    stuck = run.changing("drained", {}, drained=False).changing("merged", {"type": "orders"}, keys=others)
    (found,) = suspects(stuck.changing("accounted", {"index": 2}, merged=0, missing=RECORDS).evidence)
    assert (found.station, words in found.why) == (station, True), found.why


def test_a_run_that_held_has_no_suspect() -> None:
    assert suspects(GOOD.evidence) == []
    assert stations_at_fault(GOOD.evidence) == set()


def test_a_file_that_was_refused_as_it_should_be_is_nobody_s_fault() -> None:
    run = REJECT.changing("invocation", {"request_id": "request-3"}, batch_item_failures=["message-3"], log_lines=[])
    assert suspects(run.adding(dead_letter(3)).evidence) == []


def test_a_queue_is_marked_with_the_functions_behind_it() -> None:
    late = GOOD.supposing(sla_s=4.0).changing("invocation", {}, start_s=START_S + 4, end_s=START_S + 4.5)
    busy = [invocation(at, start_s=START_S, end_s=START_S + 4, request_id=f"busy-{at}", messages=[]) for at in (0, 1)]
    late = late.adding(*busy)
    assert stations_at_fault(late.evidence) == {"queue", "handler"}


def test_stations_count_who_came_through() -> None:
    run = GOOD.without("merged", type="clicks").changing("accounted", {"index": 1}, merged=0, missing=RECORDS)
    found = {one.name: one for one in stations(run.evidence, ())}
    assert [one.through for one in found.values()] == [
        "4 of 4 files", "4 of 4 files", "4 of 4 files", "2 of 4 files", "300 of 400 records",
    ]  # fmt: skip
    assert [name for name, one in found.items() if one.short] == ["merge", "final"]
    assert found["final"].notes == ("100 lost",)


def test_a_driver_s_error_is_told_in_words() -> None:
    raised = str({"S": "ERROR", "C": "XX000", "M": "Spectrum Scan Error",
                  "D": "\n ----\n code: 15001\n context: The column is too long.\n query: 1\n"})  # fmt: skip
    assert legible(raised) == "Spectrum Scan Error: The column is too long. [XX000]"
    for other in ("no gzip", "{'S': 'ERROR', 'M': 'cut sho", "{'S': 'ERROR'}"):
        assert legible(other) == other


def test_a_warehouse_that_takes_no_more_connections_is_the_handlers_doing_and_not_the_merges() -> None:
    refused = 'FATAL: connection limit "19" exceeded for non-bootstrap users'
    failed = [{"type": "orders", "started_s": START_S, "committed_s": None, "error": refused, "rows": []}]
    run = GOOD.adding(dead_letter(1, reason=refused)).changing("merge_run", {}, types=failed)
    assert [one.station for one in suspects(run.evidence)] == ["handler", "handler"]
    assert "The warehouse refused connections" in suspects(run.evidence)[0].why
    late = run.changing("merged", {}, started_s=START_S + 80, committed_s=START_S + 81)
    assert stations_at_fault(late.evidence) == {"handler"}
    (alone,) = suspects(GOOD.changing("merge_run", {}, types=failed).evidence)
    assert alone.station == "merge"

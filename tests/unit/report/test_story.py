"""The words name the stage at fault."""

import pytest

from harness.checks import default_checks
from harness.report import html, markdown, story
from harness.verdict import Judgement
from harness.verdict_text import verdict_text
from tests.unit.run_fixtures import RECORDS, START_S, Run, dead_letter, good_run, invocation, key_of, merge_run

GOOD = good_run()
SLA_S = GOOD.facts.sla_s


def _judged(run: Run) -> Judgement:
    return run.judged_by(*default_checks())


def _said(run: Run) -> str:
    judgement = _judged(run)
    return " ".join([story.headline(judgement), *story.findings(judgement)])


def merged_late(run: Run, index: int, committed_s: float) -> Run:
    name = "orders" if index % 2 == 0 else "clicks"
    others = [key_of(other) for other in range(index % 2, len(run.history.files), 2) if other != index]
    merged = {"event": "merged", "type": name}
    return run.without("merged", type=name).adding(
        merged | {"keys": others, "started_s": START_S + 5, "committed_s": START_S + 6},
        merged | {"keys": [key_of(index)], "started_s": committed_s - 1, "committed_s": committed_s},
    )


def _slow(index: int, start_s: float, end_s: float, copy_s: float = 0.25) -> dict[str, object]:
    """The invocation of a file at another time, with a COPY of another length."""
    changed = invocation(index, start_s=start_s, end_s=end_s)
    line = changed["log_lines"][0] | {"committed_at_s": end_s, "phase_ms": {"read": 100.0, "copy": copy_s * 1000}}
    return {"start_s": start_s, "end_s": end_s, "log_lines": [line]}


def test_a_good_run() -> None:
    said = _said(GOOD)
    assert "All 4 delivered files (400 records) came through" in said
    assert "after 6 s of the 30 s allowed, which leaves 80 % of the SLA" in said
    assert "“merge wait”" in said


def test_a_late_merge_is_named() -> None:
    said = _said(merged_late(GOOD, 2, START_S + 60))
    assert "1 of 4 files missed the SLA of 30 s (the slowest took 58 s)" in said
    assert "lost their time in “merge wait”" in said


def test_a_merge_run_that_holds_up_others_names_the_type_that_took_the_time() -> None:
    types = [
        entry | {"started_s": START_S + from_s, "committed_s": START_S + to_s}
        for entry, (from_s, to_s) in zip(merge_run(1, START_S)["types"], ((5, 55), (55, 59)), strict=True)
    ]
    slow = GOOD.changing("merge_run", {}, started_s=START_S + 5, ended_s=START_S + 60, types=types)
    said = _said(merged_late(slow, 2, START_S + 60))
    assert "took 55 s, more than its interval of 15 s; 50 s of it went into the transaction of orders" in said
    assert "Merge run" not in _said(merged_late(GOOD, 2, START_S + 60))


def test_a_slow_copy_is_named() -> None:
    slow = GOOD.changing("invocation", {"request_id": "request-2"}, **_slow(2, START_S + 2.2, START_S + 58, 55.0))
    said = _said(merged_late(slow, 2, START_S + 60))
    assert "lost their time in “handler: COPY”" in said
    assert "55 s on average" in said


def test_a_queue_behind_a_slow_copy_blames_the_copy() -> None:
    run = good_run(8)
    run = run.changing("invocation", {"request_id": "request-0"}, **_slow(0, START_S + 0.2, START_S + 50, 49.0))
    run = run.changing("invocation", {"request_id": "request-6"}, **_slow(6, START_S + 50, START_S + 50.5))
    said = _said(merged_late(run, 6, START_S + 60))
    assert "lost their time in “queue”" in said
    assert "because 1 invocation ahead of them was held up in “handler: COPY”" in said


def test_a_queue_behind_invocations_as_fast_as_ever_says_that_they_were_too_few() -> None:
    run = good_run(8)
    for turn, index in enumerate((0, 2, 4, 6)):
        start_s = START_S + 0.2 + turn * 14.5
        slow = _slow(index, start_s, start_s + 14.5, copy_s=14)
        run = run.changing("invocation", {"request_id": f"request-{index}"}, **slow)
    said = _said(run.changing("merged", {"type": "orders"}, started_s=START_S + 59, committed_s=START_S + 60))
    assert "lost their time in “queue”" in said
    assert "most of it in “handler: COPY”, and at most 2 ran at once, so they are too slow or too few" in said


def test_one_slow_start_does_not_explain_a_queue_behind_a_handler_that_is_slow_for_every_file() -> None:
    run = good_run(8)
    for index in range(8):
        start_s = START_S + 9.2 + index // 2 * 8
        run = run.changing(
            "invocation", {"request_id": f"request-{index}"}, **_slow(index, start_s, start_s + 8, copy_s=7.5)
        )
    run = run.changing("invocation", {"request_id": "request-0"}, init_ms=9_000.0)
    said = _said(run.changing("merged", {}, started_s=START_S + 47, committed_s=START_S + 48))
    assert "lost their time in “queue”" in said
    assert "about 8 s each, most of it in “handler: COPY”" in said
    assert "held up in “cold start”" not in said


def test_a_handler_that_is_too_slow_for_every_file_is_named_and_not_the_wait_for_the_next_merge() -> None:
    run = GOOD.supposing(sla_s=34.5).changing("merged", {}, started_s=START_S + 35, committed_s=START_S + 36)
    for index in range(4):
        start_s = START_S + index + 0.2
        run = run.changing("invocation", {"request_id": f"request-{index}"}, **_slow(index, start_s, start_s + 29.5))
    said = _said(run)
    assert "lost their time in “handler: rest”" in said
    assert "lost their time in “merge wait”" not in said


def test_a_fault_is_mentioned_where_late_files_met_it() -> None:
    late = merged_late(GOOD, 2, START_S + 60)
    fault = {"event": "fault", "name": "warehouse stall"}
    met = late.adding(
        fault | {"action": "inject", "at_s": START_S + 10}, fault | {"action": "heal", "at_s": START_S + 20}
    )
    assert "1 of the 1 late files were on their way while “warehouse stall” was injected (10 s to 20 s" in _said(met)
    missed = late.adding(
        fault | {"action": "inject", "at_s": START_S + 70}, fault | {"action": "heal", "at_s": START_S + 80}
    )
    assert "warehouse stall" not in _said(missed)


@pytest.mark.parametrize(
    ("run", "culprit"),
    [
        (GOOD.without("invocation", request_id="request-2").without("merged"), "the notification or the queue"),
        (
            GOOD.changing("invocation", {"request_id": "request-2"}, status="error", log_lines=[]).without("merged"),
            "never took one without an error: the handler",
        ),
        (
            GOOD.changing("invocation", {"request_id": "request-2"}, log_lines=[]).without("merged"),
            "logged no commit to the stage table: the handler",
        ),
        (GOOD.without("merged"), "no merge run carried them on: the merge job"),
        (GOOD, "deletes from the final table"),
    ],
    ids=["uploaded", "queued", "handled", "staged", "merged"],
)
def test_lost_records_name_the_stage_that_had_them_last(run: Run, culprit: str) -> None:
    said = _said(run.changing("accounted", {"index": 2}, merged=0, missing=RECORDS))
    assert "100 records of 1 file were lost" in said
    assert culprit in said


def _queued_at_the_end() -> Run:
    """The time to drain was over, and file 2 still on its queue."""
    run = merged_late(GOOD, 2, START_S + 20).without("merged", keys=[key_of(2)]).changing("drained", {}, drained=False)
    run = run.without("invocation", request_id="request-2")
    return run.changing("accounted", {"index": 2}, merged=0, missing=RECORDS)


def test_what_was_still_on_its_way_is_told_in_a_sentence_and_not_as_lost() -> None:
    judgement = _judged(_queued_at_the_end())
    sentence = "100 records of 1 file were still on their way when the time to drain was over"
    assert story.headline(judgement) == f"{sentence}."
    assert sentence in markdown.summary(judgement, "run")
    assert "0 lost, 100 still on their way" in verdict_text(judgement)
    page = html.page(judgement, "run")
    assert sentence in page
    assert "records still on their way" in page
    assert "still on their way" not in html.page(_judged(GOOD), "run").split("<script", 1)[0]


def test_dead_letters_and_doubles_are_in_the_headline() -> None:
    run = GOOD.changing("accounted", {"index": 1}, duplicated=3).adding(dead_letter(3))
    headline = story.headline(_judged(run))
    assert headline == "3 records arrived twice and 1 file ended on a dead letter queue."
    assert "1 message came back until the queue gave them up (1 of clicks), because the handler failed" in _said(run)


def test_a_failure_of_another_kind_is_told_in_the_check_s_own_words() -> None:
    run = GOOD.changing("accounted_type", {"type": "clicks"}, unexpected=3, unexpected_from="alien.csv")
    assert "alien.csv" in story.headline(_judged(run))


def test_an_inconclusive_run_says_why() -> None:
    run = GOOD.changing("run_finished", {}, interrupted=True)
    assert story.headline(_judged(run)) == "This run cannot tell: the run was interrupted."
    assert story.headline(GOOD.judged_by()) == "This run cannot tell: nothing was checked."


def test_a_run_in_which_nothing_arrived() -> None:
    assert "No file was seen in a final table." in _said(GOOD.without("merged"))

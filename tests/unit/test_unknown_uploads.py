"""An upload whose outcome is not known: delivered if the file turned up further on, otherwise nobody can tell."""

from harness.checks import Verdict, offered_rate_held
from harness.ledger import Event
from tests.unit.run_fixtures import Run, good_run, key_of

UNKNOWN: Event = {
    "event": "upload_failed", "index": 0, "key": key_of(0), "intended_s": 0.0, "error": "timed out",
    "outcome": "unknown",
}  # fmt: skip


def with_unknown_upload(run: Run) -> Run:
    return run.without("uploaded", index=0).adding(UNKNOWN)


def test_a_file_that_turned_up_was_offered() -> None:
    judgement = with_unknown_upload(good_run()).judged_by(offered_rate_held())
    assert judgement.results[0].verdict is Verdict.PASS


def test_a_file_that_nobody_saw_again_leaves_the_run_inconclusive() -> None:
    run = with_unknown_upload(good_run()).without("merged")
    events = tuple(event for event in run.events if event["event"] != "invocation")
    judgement = Run(run.facts, events).judged_by(offered_rate_held())
    assert judgement.results[0].verdict is Verdict.INCONCLUSIVE
    assert "timed out" in judgement.results[0].detail

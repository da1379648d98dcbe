"""Every check faces a history that passes, one that must fail and one that cannot tell."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness import checks
from harness.checks import Check, Verdict
from harness.faults.functions import Breaks
from tests.unit.run_fixtures import START_S, Run, accounted, dead_letter, good_run, invocation, key_of


@dataclass(frozen=True)
class Trial:
    """What a check must say of a run, and what its sentence must name."""

    check: Callable[[], Check]
    run: Run
    verdict: Verdict
    names: tuple[str, ...] = ()


GOOD = good_run()
NOT_COUNTED = GOOD.without("accounted", index=2)
LATE_S = START_S + 2 + GOOD.facts.sla_s + 1
PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def _merged_at(committed_s: float) -> Run:
    """File 2 alone was merged, at that time."""
    merged = {"event": "merged", "type": "orders"}
    return GOOD.without("merged", type="orders").adding(
        merged | {"keys": [key_of(0)], "started_s": START_S + 4, "committed_s": START_S + 5},
        merged | {"keys": [key_of(2)], "started_s": committed_s - 1, "committed_s": committed_s},
    )


LOST = GOOD.changing("accounted", {"index": 2}, merged=90, missing=10)
UNMERGED = _merged_at(LATE_S).without("merged", keys=[key_of(2)])
BEGUN_LATE = _merged_at(LATE_S).changing(
    "uploaded", {"index": 2}, started_s=START_S + 2 + 5, acknowledged_s=START_S + 2 + 5.1
)

PROVISIONED = {"event": "provisioned", "max_receive_count": {"orders": 3, "clicks": 3}, "faults": []}
REFUSED = (
    GOOD.changing("planned", {"index": 3}, reject=True)
    .changing("accounted", {"index": 3}, expected=0, merged=0)
    .adding(PROVISIONED, dead_letter(3), invocation(3, status="error", messages=[
        {"message_id": "message-3", "sent_ms": 0, "receive_count": 3, "keys": [key_of(3)]}
    ]))
)  # fmt: skip
FAULTY = GOOD.adding(
    PROVISIONED | {"faults": ["lock held"]},
    {"event": "fault", "name": "lock held", "action": "inject"},
    {"event": "fault", "name": "lock held", "action": "heal", "effect": "2 sessions waited"},
)

MACHINE_USE = {"event": "machine_use", "elapsed_s": 9.0, "own_share": 0.1, "others_share": 0.8}
STARVED = LOST.adding(MACHINE_USE, invocation(2, status="timeout"))


def test_a_pipeline_is_not_convicted_of_what_the_machine_did() -> None:
    every = checks.default_checks()
    assert STARVED.judged_by(*every).verdict is INCONCLUSIVE
    assert STARVED.without("machine_use").judged_by(*every).verdict is FAIL
    assert STARVED.changing("machine_use", {}, others_share=0.4).judged_by(*every).verdict is FAIL
    assert LOST.adding(MACHINE_USE).judged_by(*every).verdict is FAIL


def test_files_that_are_late_after_an_outage_convict_nobody_and_lost_ones_do() -> None:
    away = {"event": "outage", "part": "redshift", "from_s": 1.0, "to_s": 25.0, "error": "refused"}
    every = checks.default_checks()
    late = _merged_at(LATE_S)
    assert late.judged_by(*every).verdict is FAIL
    assert late.adding(away).judged_by(*every).verdict is INCONCLUSIVE
    assert LOST.adding(away).judged_by(*every).verdict is FAIL
    assert GOOD.adding(away).judged_by(*every).verdict is INCONCLUSIVE


def _long_lived(memory_mb: list[int]) -> Run:
    """An environment with as many invocations, each with its peak of memory."""
    functions = {"load-orders": {"type": "orders", "memory_mb": 512}}
    more = [
        invocation(0, environment_id="long", start_s=START_S + number, max_memory_mb=peak_mb)
        for number, peak_mb in enumerate(memory_mb)
    ]
    return GOOD.adding(PROVISIONED | {"functions": functions}, *more)


# The time to drain was over, and nothing of file 2 is in its final table: it was still queued, or still staged.
UNDRAINED = _merged_at(LATE_S).without("merged", keys=[key_of(2)]).changing("drained", {}, drained=False)
UNDRAINED = UNDRAINED.changing("accounted", {"index": 2}, merged=0, missing=100)
QUEUED = UNDRAINED.without("invocation", request_id="request-2")
NONE_QUEUED = {name: {"visible": 0, "in_flight": 0, "dead_lettered": 0} for name in ("orders", "clicks")}
STAGED = UNDRAINED.changing("accounted", {"index": 2}, in_stage=100)


def test_what_was_still_on_its_way_is_counted_as_that() -> None:
    for run, files in ((QUEUED, (0, 1)), (QUEUED.changing("sample", {}, queues=NONE_QUEUED), (1, 0))):
        counts = run.judged_by(*checks.default_checks()).to_json()
        assert (counts["files"]["lost"], counts["files"]["on_the_way"]) == files
        assert (counts["records"]["lost"], counts["records"]["on_the_way"]) == (100 * files[0], 100 * files[1])
        assert counts["verdict"] == "fail"  # it should have been there


TRIALS = {
    "lost: all there": Trial(checks.nothing_lost, GOOD, PASS, ("400 records", "4 delivered files")),
    "lost: records missing": Trial(
        checks.nothing_lost, LOST, FAIL, (key_of(2), "10 of 100", "last seen merged", "message-2", "request-2")
    ),
    "lost: still staged": Trial(
        checks.nothing_lost,
        UNMERGED.changing("accounted", {"index": 2}, merged=0, missing=100, in_stage=100),
        FAIL,
        (key_of(2), "100 of them still staged", "last seen staged"),
    ),
    "lost: still queued when the time was over": Trial(
        checks.nothing_lost, QUEUED, INCONCLUSIVE, ("1 file still on their way", key_of(2), "last seen uploaded")
    ),
    "lost: in time and still queued": Trial(checks.nothing_lost, QUEUED.changing("drained", {}, drained=True), FAIL),
    "lost: nothing is queued": Trial(
        checks.nothing_lost, QUEUED.changing("sample", {}, queues=NONE_QUEUED), FAIL, ("1 file lost records", key_of(2))
    ),
    "lost: fewer are queued than are missing": Trial(
        checks.nothing_lost,
        QUEUED.without("invocation", request_id="request-0")
        .changing("accounted", {"index": 0}, merged=0, missing=100)
        .changing("sample", {}, queues=NONE_QUEUED | {"orders": {"visible": 1, "in_flight": 0, "dead_lettered": 0}}),
        FAIL,
        ("2 files lost records", key_of(0), key_of(2)),
    ),
    "lost: one is queued and another lost": Trial(
        checks.nothing_lost, QUEUED.changing("accounted", {"index": 1}, merged=90, missing=10), FAIL, ("1 file lost",)
    ),
    "lost: taken by a function and nowhere": Trial(checks.nothing_lost, UNDRAINED, FAIL, ("1 file lost records",)),
    "lost: staged after the last merge had begun": Trial(
        checks.nothing_lost,
        STAGED.changing("invocation", {"request_id": "request-2"}, start_s=START_S + 5.2, end_s=START_S + 5.7),
        INCONCLUSIVE,
        ("1 file still on their way", key_of(2), "last seen staged"),
    ),
    "lost: passed by by a merge": Trial(checks.nothing_lost, STAGED, FAIL, ("1 file lost", "100 of them still staged")),
    "lost: only on a dead letter queue": Trial(checks.nothing_lost, LOST.adding(dead_letter(2)), PASS),
    "lost: not counted": Trial(checks.nothing_lost, NOT_COUNTED, INCONCLUSIVE, ("1 of 4",)),
    "lost: a type not counted": Trial(
        checks.nothing_lost, GOOD.without("accounted_type", type="clicks"), INCONCLUSIVE, ("clicks",)
    ),
    "lost: never started": Trial(checks.nothing_lost, GOOD.without("load_started"), INCONCLUSIVE),
    "doubled: none": Trial(checks.nothing_doubled, GOOD, PASS),
    "doubled: some": Trial(
        checks.nothing_doubled, GOOD.changing("accounted", {"index": 1}, duplicated=5), FAIL, (key_of(1), "5 records")
    ),
    "doubled: not counted": Trial(checks.nothing_doubled, NOT_COUNTED, INCONCLUSIVE),
    "altered: none": Trial(checks.nothing_altered, GOOD, PASS),
    "altered: some": Trial(
        checks.nothing_altered, GOOD.changing("accounted", {"index": 0}, altered=1), FAIL, (key_of(0), "1 records")
    ),
    "altered: not counted": Trial(checks.nothing_altered, NOT_COUNTED, INCONCLUSIVE),
    "unexpected: none": Trial(checks.nothing_unexpected, GOOD, PASS),
    "unexpected: some": Trial(
        checks.nothing_unexpected,
        GOOD.changing("accounted_type", {"type": "clicks"}, unexpected=3, unexpected_from="clicks/alien.csv"),
        FAIL,
        ("clicks", "3 rows", "clicks/alien.csv"),
    ),
    "unexpected: no delivered file": Trial(
        checks.nothing_unexpected,
        GOOD.changing("accounted_type", {"type": "clicks"}, foreign=3, foreign_from="orders-000001.csv.gz"),
        FAIL,
        ("clicks", "3 rows whose source_file names no delivered file", "orders-000001.csv.gz"),
    ),
    "unexpected: not counted": Trial(checks.nothing_unexpected, NOT_COUNTED, INCONCLUSIVE),
    "lineage: true": Trial(checks.lineage, GOOD, PASS),
    "lineage: another file": Trial(
        checks.lineage,
        GOOD.changing("accounted", {"index": 1}, from_other_file=7),
        FAIL,
        (key_of(1), "7 of its records have another file as their source_file"),
    ),
    "lineage: another row": Trial(
        checks.lineage,
        GOOD.changing("accounted", {"index": 1}, from_other_row=7),
        FAIL,
        (key_of(1), "another source_row"),
    ),
    "lineage: the rows of a task": Trial(
        checks.lineage, GOOD.changing("accounted", {"index": 1}, from_other_row=7).supposing(design="batch"), PASS
    ),
    "lineage: local time, behind UTC": Trial(
        checks.lineage,
        GOOD.changing("accounted", {"index": 1}, loaded_first_s=START_S - 3600),
        FAIL,
        (key_of(1), "3,601 s before its upload", "UTC"),
    ),
    "lineage: local time, ahead of UTC": Trial(
        checks.lineage,
        GOOD.changing("accounted", {"index": 1}, loaded_last_s=START_S + 3607),
        FAIL,
        (key_of(1), "3,600 s after the last merge", "UTC"),
    ),
    "lineage: a row that is not there tells nothing": Trial(
        checks.lineage, GOOD.changing("accounted", {"index": 1}, loaded_first_s=None, loaded_last_s=None), PASS
    ),
    "lineage: not counted": Trial(checks.lineage, NOT_COUNTED, INCONCLUSIVE),
    "lineage: a ledger of an earlier version": Trial(
        checks.lineage,
        GOOD.changing("accounted", {"index": 1}, from_other_file=None),
        INCONCLUSIVE,
        ("was not counted",),
    ),
    "functions: all well": Trial(checks.functions_end_well, GOOD, PASS, ("4 invocations",)),
    "functions: one hung": Trial(
        checks.functions_end_well,
        GOOD.adding(invocation(2, request_id="request-x", status="timeout", error_type="Sandbox.Timedout")),
        FAIL,
        ("1 of 5", "load-orders", "timeout", "request-x", "Sandbox.Timedout"),
    ),
    "functions: one crashed": Trial(
        checks.functions_end_well, GOOD.adding(invocation(2, status="crash")), FAIL, ("ended before it answered",)
    ),
    "functions: one did not start": Trial(
        checks.functions_end_well, GOOD.adding(invocation(2, status="init_error")), FAIL, ("could not be started",)
    ),
    "functions: one raised an error": Trial(
        checks.functions_end_well, GOOD.adding(invocation(2, status="error", error_type="ValueError")), PASS
    ),
    "functions: on a file that was to be refused": Trial(
        checks.functions_end_well,
        GOOD.changing("planned", {"index": 3}, reject=True).adding(invocation(3, status="crash")),
        PASS,
    ),
    "functions: under a fault": Trial(
        checks.functions_end_well, FAULTY.adding(invocation(2, status="crash")), PASS, ("faults may",)
    ),
    "functions: none seen": Trial(checks.functions_end_well, GOOD.without("invocation"), INCONCLUSIVE),
    "memory: levels off": Trial(checks.memory_levels_off, _long_lived([100, 180, 190] + [195] * 27), PASS, ("1 env",)),
    "memory: grows": Trial(
        checks.memory_levels_off,
        _long_lived([100 + 4 * number for number in range(30)]),
        FAIL,
        ("load-orders", "4.0 MB more with every invocation", "216 MB after 30", "it has 512 MB"),
    ),
    "memory: a step is no leak": Trial(checks.memory_levels_off, _long_lived([100] * 15 + [200] * 15), PASS),
    "memory: too short": Trial(checks.memory_levels_off, GOOD, INCONCLUSIVE, ("20 invocations",)),
    "end to end: in time": Trial(checks.end_to_end, GOOD, PASS, ("4 files",)),
    "end to end: late": Trial(checks.end_to_end, _merged_at(LATE_S), FAIL, (key_of(2), "31.0 s", "1 of 4")),
    "end to end: just in time": Trial(checks.end_to_end, _merged_at(START_S + 2 + GOOD.facts.sla_s), PASS),
    "end to end: never": Trial(
        checks.end_to_end, UNMERGED.changing("drained", {}, drained=False), FAIL, (key_of(2), "last seen staged")
    ),
    "end to end: not seen": Trial(checks.end_to_end, UNMERGED, INCONCLUSIVE, ("1 of 4",)),
    "end to end: the harness was late": Trial(checks.end_to_end, BEGUN_LATE, INCONCLUSIVE, ("harness",)),
    "end to end: nothing delivered": Trial(checks.end_to_end, GOOD.without("uploaded"), INCONCLUSIVE),
    "drained: yes": Trial(checks.drained, GOOD, PASS, ("4.0 s", "60 s")),
    "drained: no": Trial(
        checks.drained, UNMERGED.changing("drained", {}, drained=False), FAIL, (key_of(2), "last seen staged")
    ),
    "drained: rows stayed in the stage": Trial(
        checks.drained, GOOD.changing("accounted", {"index": 2}, in_stage=7), FAIL, (key_of(2), "7 rows")
    ),
    "drained: a late delivery is staged again": Trial(
        checks.drained,
        GOOD.changing("accounted", {"index": 2}, in_stage=7).adding(invocation(2, end_s=START_S + 90)),
        PASS,
    ),
    "drained: did not come to it": Trial(checks.drained, GOOD.without("drained"), INCONCLUSIVE),
    "dead letters: none": Trial(checks.dead_letters, GOOD, PASS),
    "dead letters: one": Trial(
        checks.dead_letters, GOOD.adding(dead_letter(3)), FAIL, (key_of(3), "received 3 times")
    ),
    "dead letters: one of no file": Trial(
        checks.dead_letters, GOOD.adding(dead_letter(3, keys=[])), FAIL, ("message-3",)
    ),
    "dead letters: not read": Trial(checks.dead_letters, GOOD.without("drained"), INCONCLUSIVE),
    "dead letters: what was to be refused": Trial(checks.dead_letters, REFUSED, PASS, ("1 file",)),
    "dead letters: a file to refuse was swallowed": Trial(
        checks.dead_letters, REFUSED.without("dead_letter"), FAIL, (key_of(3), "did not reach")
    ),
    "dead letters: refused too early": Trial(
        checks.dead_letters,
        REFUSED.changing("provisioned", {}, max_receive_count={"orders": 3, "clicks": 5}),
        FAIL,
        (key_of(3), "received 3 times, not 5"),
    ),
    "dead letters: on another type's queue": Trial(
        checks.dead_letters, REFUSED.changing("dead_letter", {}, type="orders"), FAIL, ("queue of orders",)
    ),
    "dead letters: a good neighbour too": Trial(
        checks.dead_letters, REFUSED.adding(dead_letter(1)), FAIL, (key_of(1), "only rejects were")
    ),
    "faults: none planned": Trial(checks.faults_took_effect, GOOD, PASS),
    "faults: took effect": Trial(checks.faults_took_effect, FAULTY, PASS, ("2 sessions waited",)),
    "faults: no effect": Trial(
        checks.faults_took_effect,
        FAULTY.changing("fault", {"action": "heal"}, effect=None),
        INCONCLUSIVE,
        ("no effect",),
    ),
    "faults: never healed": Trial(
        checks.faults_took_effect, FAULTY.without("fault", action="heal"), INCONCLUSIVE, ("not healed",)
    ),
    "faults: never injected": Trial(
        checks.faults_took_effect, FAULTY.without("fault"), INCONCLUSIVE, ("never injected",)
    ),
    "rate: held": Trial(checks.offered_rate_held, GOOD, PASS, ("4 files", "2.0 ms")),
    "rate: late": Trial(
        checks.offered_rate_held,
        GOOD.changing("uploaded", {"index": 1}, started_s=START_S + 1 + 1.5),
        INCONCLUSIVE,
        ("1500 ms", "900 ms"),
    ),
    "rate: dropped": Trial(
        checks.offered_rate_held,
        GOOD.without("uploaded", index=1).adding({"event": "dropped", "index": 1, "reason": "no free connection"}),
        INCONCLUSIVE,
        (key_of(1), "no free connection"),
    ),
    "rate: never offered": Trial(
        checks.offered_rate_held, GOOD.without("uploaded", index=1), INCONCLUSIVE, ("not offered",)
    ),
    "rate: nothing": Trial(checks.offered_rate_held, GOOD.without("uploaded"), INCONCLUSIVE),
    "complete: yes": Trial(checks.run_complete, GOOD, PASS),
    "complete: a line is gone": Trial(
        checks.run_complete, GOOD.with_defects("line 5 is event 6, but event 5 was due"), INCONCLUSIVE, ("line 5",)
    ),
    "complete: a part was away": Trial(
        checks.run_complete,
        GOOD.adding({"event": "outage", "part": "redshift", "from_s": 1.0, "to_s": 5.2, "error": "refused"}),
        INCONCLUSIVE,
        ("redshift was away for 4.2 s from 00:00:01 UTC (refused)",),
    ),
    "complete: interrupted": Trial(
        checks.run_complete, GOOD.changing("run_finished", {}, interrupted=True), INCONCLUSIVE, ("interrupted",)
    ),
    "complete: functions timed out on a machine that others had": Trial(
        checks.run_complete, STARVED, INCONCLUSIVE, ("1 of 5 invocations timed out", "80% of this machine's CPU")
    ),
    "complete: functions timed out on a machine that was free": Trial(
        checks.run_complete, STARVED.changing("machine_use", {}, others_share=0.4), PASS
    ),
    "complete: functions timed out on purpose": Trial(
        checks.run_complete,
        STARVED.adding(PROVISIONED | {"faults": [Breaks("timeout").name]}),
        PASS,
    ),
    "complete: functions timed out that were to crash, on a machine that others had": Trial(
        checks.run_complete,
        STARVED.adding(PROVISIONED | {"faults": [Breaks("crash").name]}),
        INCONCLUSIVE,
        ("1 of 5 invocations timed out",),
    ),
    "complete: others had the machine, and nothing timed out": Trial(
        checks.run_complete, GOOD.adding(MACHINE_USE), PASS
    ),
    "complete: a probe died": Trial(
        checks.run_complete,
        GOOD.adding({"event": "problem", "text": "the sampler ended"}),
        INCONCLUSIVE,
        ("the sampler ended",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_verdict_and_sentence(trial: Trial) -> None:
    result = trial.check()(trial.run.evidence)
    assert result.verdict is trial.verdict, result.detail
    for name in trial.names:
        assert name in result.detail


@pytest.mark.parametrize("check", checks.default_checks(), ids=lambda check: check.name)
def test_each_default_check_can_pass_and_can_refuse(check: Check) -> None:
    said = {trial.verdict for trial in TRIALS.values() if trial.check().name == check.name}
    # the harness's own shortcomings never convict the pipeline
    own = check.name in {"faults", "offered_rate_held", "run_complete"}
    assert said == ({PASS, INCONCLUSIVE} if own else {PASS, FAIL, INCONCLUSIVE})


def test_an_unknown_upload_outcome_is_not_a_broken_promise_of_the_harness() -> None:
    unknown = GOOD.without("uploaded", index=1).adding(
        {"event": "upload_failed", "index": 1, "error": "read timeout", "outcome": "unknown"}
    )
    assert checks.offered_rate_held()(unknown.evidence).verdict is PASS


def test_a_file_that_failed_once_names_its_last_attempt() -> None:
    retried = LOST.adding(invocation(2, request_id="request-again", status="timeout", error_type="Sandbox.Timedout"))
    assert "request-again (Sandbox.Timedout)" in checks.nothing_lost()(retried.evidence).detail


def test_many_files_are_counted_and_a_few_are_named() -> None:
    run = good_run(10)
    for index in range(10):
        run = run.changing(
            "accounted", {"index": index}, **{k: v for k, v in accounted(index, missing=1).items() if k != "event"}
        )
    detail = checks.nothing_lost()(run.evidence).detail
    assert detail.startswith("10 files lost records")
    assert detail.endswith("and 7 more")

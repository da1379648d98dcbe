"""The merge schedule, on a clock that the test moves."""

from dataclasses import dataclass, field

from harness.merge import MergeRun, keep_merging


@dataclass
class Clock:
    """Time that passes only when it is waited for, or when a run takes some. Ends the schedule at `end_s`."""

    end_s: float
    now_s: float = 100.0
    waits_s: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    def wait(self, timeout: float) -> bool:
        self.waits_s.append(timeout)
        self.now_s += timeout
        return self.now_s > self.end_s


def runs(clock: Clock, takes_s: list[float], every_s: float = 10) -> list[MergeRun]:
    done: list[MergeRun] = []

    def run_once(number: int, due_s: float) -> MergeRun:
        started_s = clock.now_s
        clock.now_s += takes_s[number - 1]
        return MergeRun(number, due_s, started_s, clock.now_s, max(0.0, started_s - due_s), ())

    keep_merging(run_once, every_s, 110, done.append, clock, clock)
    return done


def test_runs_start_on_the_grid() -> None:
    done = runs(Clock(end_s=140), [1, 2, 3, 1])
    assert [run.started_s for run in done] == [110, 120, 130, 140]
    assert [run.delayed_s for run in done] == [0, 0, 0, 0]


def test_a_run_that_overruns_delays_the_next_and_says_by_how_much() -> None:
    done = runs(Clock(end_s=150), [1, 14, 1, 1, 1])
    assert [run.due_s for run in done] == [110, 120, 130, 140, 150]
    assert [run.delayed_s for run in done] == [0, 0, 4, 0, 0]


def test_nothing_runs_after_the_stop() -> None:
    assert runs(Clock(end_s=105), []) == []

"""Pipeline descriptions with one bug each: settings that people have really deployed. The functions do nothing."""

from tests.mutants.mutant import mutant


@mutant("pipeline", "handler_crash", "dead_letters", "none was expected", queue={"max_receive_count": 1})
def gives_up_at_once() -> None:
    """Sets maxReceiveCount to 1: a file whose function crashed once is given up."""


@mutant("pipeline", "poison", "dead_letters", "did not reach a dead letter queue", queue={"max_receive_count": 1000})
def retries_forever() -> None:
    """Sets maxReceiveCount to 1,000: a broken file comes back for days."""


@mutant(
    "pipeline", "smoke", "dead_letters", "none was expected",
    function={"environment": {"STAGE_TABLE": "stage.payments"}},
)  # fmt: skip
def loads_into_another_type() -> None:
    """Has another type's stage table in the function's environment."""


@mutant("pipeline", "smoke", "end_to_end", "missed the SLA", merge={"every_s": 1200}, pipeline={"sla_s": 600})
def merges_too_seldom() -> None:
    """Merges less often than the SLA allows."""


@mutant("pipeline", "smoke", "functions", "ended before it answered", function={"memory_mb": 128})
def has_too_little_memory() -> None:
    """Gives the function 128 MB, less than its libraries take."""

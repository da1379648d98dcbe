"""Pipeline descriptions with one bug each: settings that people have really deployed. The functions do nothing.

What AWS itself refuses, or what can never work, is refused before a run: those are `REFUSED`, edits of pipeline.toml.
"""

from tests.mutants.mutant import Refused, mutant


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


@mutant("pipeline", "smoke", "functions", "could not be started", function={"memory_mb": 128})
def has_too_little_memory() -> None:
    """Gives the function 128 MB, less than its libraries take."""


REFUSED = (
    Refused("One type's prefix shadows another's.", 'prefix = "clicks/"', 'prefix = "orders/clicks/"', "also matches"),
    Refused("A prefix holds '='.", 'prefix = "orders/"', 'prefix = "type=orders/"', "silently never match"),
    Refused(
        "A prefix lets through what COPY stages.", 'prefix = "orders/"', 'prefix = "_staging/orders/"',
        "where COPY stages its files",
    ),
    Refused(
        "The visibility timeout is shorter than the function's.", "visibility_timeout_s = 360",
        "visibility_timeout_s = 30", "AWS refuses the event source mapping",
    ),
    Refused("A large batch has no window.", "batch_size = 1\n", "batch_size = 100\n", "at least 1"),
    Refused("maxReceiveCount is 0.", "max_receive_count = 3", "max_receive_count = 0", "max_receive_count"),
    Refused("MaximumConcurrency is 1.", "maximum_concurrency = 4", "maximum_concurrency = 1", "maximum_concurrency"),
    Refused("The key is no column.", 'key = ["order_id"]', 'key = ["id"]', "is not one of the columns"),
    Refused("Time-out and SLA are texts.", "sla_s = 1800 ", 'sla_s = "30m" ', "sla_s"),
    Refused("A setting is misspelt.", "max_receive_count = 3", "max_recieve_count = 3", "is not a key that is known"),
    Refused("The merge is not there.", "merge_{type}.sql", "merge_all_{type}.sql", "is not a file"),
)  # fmt: skip

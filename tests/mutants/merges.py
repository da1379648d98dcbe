"""Merges with one bug each: edits of the real `merge_orders.sql`, as text."""

import re

from tests.mutants.mutant import mutant

_DELETE = re.compile(r"DELETE FROM stage\.orders.*?;\n", re.DOTALL)


def _replaced(script: str, old: str, new: str, count: int = -1) -> str:
    assert old in script, f"the merge no longer says {old!r}"
    return script.replace(old, new, count)


@mutant("merge", "smoke", "drained", "left in the stage tables", quick=True)
def leaves_the_stage_full(script: str) -> str:
    """Does not delete from the stage table what it merged."""
    return _DELETE.sub("", script)


@mutant("merge", "smoke", "nothing_lost", "records are not in the final table")
def empties_the_stage_first(script: str) -> str:
    """Deletes what it took from the stage table before it inserts it."""
    delete = _DELETE.search(script)
    assert delete is not None
    return _replaced(_DELETE.sub("", script), "-- Most rows", f"{delete[0]}\n-- Most rows")


@mutant("merge", "smoke", "nothing_lost", "records are not in the final table")
def joins_away_records_without_a_customer(script: str) -> str:
    """Looks up the customer with an inner join, and loses the orders that have none."""
    return _replaced(
        script, "WHERE contested.order_id IS NULL", "WHERE contested.order_id IS NULL AND staged.customer_id > 0"
    )


@mutant("merge", "smoke", "nothing_altered", "records differ from what was delivered")
def mixes_up_two_columns(script: str) -> str:
    """Lists two columns of the same type in the wrong order."""
    return _replaced(
        script, "    staged.customer_name,\n    staged.city,", "    staged.city,\n    staged.customer_name,"
    )


@mutant("merge", "smoke", "nothing_altered", "records differ from what was delivered")
def drops_the_cents(script: str) -> str:
    """Casts amounts to whole numbers."""
    return _replaced(script, "    staged.amount,", "    CAST(staged.amount AS bigint),")


@mutant("merge", "smoke", "nothing_altered", "records differ from what was delivered")
def takes_null_for_false(script: str) -> str:
    """Fills a missing truth value with false."""
    return _replaced(script, "    staged.gift,", "    NVL(staged.gift, FALSE),")


@mutant("merge", "smoke", "drained", "still on their way", "last seen staged")
def fails_every_time(script: str) -> str:
    """Names a column that the table does not have, so that every run is rolled back."""
    return _replaced(script, "    staged.gift,", "    staged.is_gift,")


_NEWER = re.compile(r"\n    AND \(\n        merged\.order_id IS NULL.*?\n    \);", re.DOTALL)


@mutant("merge", "duplicate_events", "nothing_doubled", "records in the final table twice", quick=True)
def inserts_without_looking(script: str) -> str:
    """Inserts every staged row without looking whether its key is there."""
    return _replaced(script, "WHERE contested.order_id IS NULL", "WHERE staged.order_id IS NOT NULL").replace(
        "WHERE ranked.recency = 1", "WHERE ranked.recency = 0"
    )


@mutant("merge", "out_of_order", "nothing_altered", "records differ from what was delivered")
def takes_the_last_to_arrive(script: str) -> str:
    """Overwrites the final table with whatever is staged, without comparing versions."""
    assert _NEWER.search(script)
    return _NEWER.sub(";", script)


@mutant("merge", "out_of_order", "nothing_altered", "records differ from what was delivered")
def keeps_the_first_to_arrive(script: str) -> str:
    """Inserts new keys and never updates one that is in the final table."""
    assert _NEWER.search(script)
    return _NEWER.sub("\n    AND merged.order_id IS NULL;", script).replace(
        "staged.updated_at DESC, staged", "staged.updated_at, staged"
    )


@mutant("merge", "merge_overrun", "nothing_lost", "200 of 200 records are not in the final table", "last seen staged")
def truncates_the_stage(script: str) -> str:
    """Truncates the stage table after the merge, and with it what arrived meanwhile."""
    return _DELETE.sub("TRUNCATE stage.orders;\n", script)


@mutant("merge", "late_partition", "nothing_lost", "records are not in the final table")
def merges_one_partition_only(script: str) -> str:
    """Merges only the partition of the day, and then empties the stage table."""
    today = "FROM stage.orders\nWHERE source_file LIKE 'orders/dt=2026-01-01/%';\n"
    return _DELETE.sub("DELETE FROM stage.orders;\n", _replaced(script, "FROM stage.orders;\n", today, 1))


@mutant("merge", "out_of_order", "nothing_altered", "records differ from what was delivered")
def takes_the_oldest_version(script: str) -> str:
    """Has the comparison of versions the wrong way round."""
    assert _NEWER.search(script)
    return _replaced(
        _replaced(script, "staged.updated_at DESC", "staged.updated_at"),
        "ranked.updated_at > merged.updated_at", "ranked.updated_at < merged.updated_at",
    )  # fmt: skip


# Merged often enough that an older version is in the final table when the newer one comes.
@mutant("merge", "out_of_order", "nothing_altered", "records differ from what was delivered", merge={"every_s": 36.0})
def updates_all_columns_but_one(script: str) -> str:
    """Forgets a column that was added later when it updates a record."""
    return _replaced(script, "    status = merge_orders_newest.status,\n", "")


@mutant("merge", "smoke", "nothing_altered", "records differ from what was delivered")
def cuts_texts(script: str) -> str:
    """Cuts names to the ten characters that a report has room for."""
    return _replaced(script, "    staged.customer_name,", "    LEFT(staged.customer_name, 10),")


@mutant("merge", "smoke", "nothing_lost", "records are not in the final table")
def merges_what_is_paid_only(script: str) -> str:
    """Keeps a filter that belongs into a report: orders that were returned never arrive."""
    old = "WHERE contested.order_id IS NULL"
    return _replaced(script, old, f"{old} AND staged.status <> 'returned'")


@mutant("merge", "smoke", "nothing_lost", "200 of 200 records are not in the final table")
def merges_the_newest_load_only(script: str) -> str:
    """Takes the newest load of the stage table only, and then empties it."""
    newest = "FROM stage.orders\nWHERE loaded_at = (SELECT MAX(loaded_at) FROM stage.orders);\n"
    return _DELETE.sub("DELETE FROM stage.orders;\n", _replaced(script, "FROM stage.orders;\n", newest, 1))


# Merged often enough that there is something to overwrite.
@mutant(
    "merge", "smoke", "nothing_lost", "records are not in the final table", "last seen merged", merge={"every_s": 36.0}
)
def overwrites_the_final_table(script: str) -> str:
    """Empties the final table before it inserts what is new, as a full refresh does."""
    return _replaced(script, "-- Most rows", "DELETE FROM public.orders;\n\n-- Most rows")


@mutant("merge", "out_of_order", "nothing_altered", "records differ from what was delivered", merge={"every_s": 36.0})
def adds_amounts_up(script: str) -> str:
    """Adds the amount of a newer version to the one that is there."""
    return _replaced(
        script, "    amount = merge_orders_newest.amount,", "    amount = orders.amount + merge_orders_newest.amount,"
    )


@mutant("merge", "out_of_order", "lineage", "have another file as their source_file", merge={"every_s": 36.0})
def keeps_the_old_lineage(script: str) -> str:
    """Updates what a record says and leaves its source_file: the row names the file of the version before."""
    return _replaced(script, "    source_file = merge_orders_newest.source_file,\n", "")

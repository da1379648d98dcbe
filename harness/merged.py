"""Which files each merge made queryable, told by the lineage of the rows that it added.

In: a merge run, the live history, a connection to the PostgreSQL behind the stand-in. Out: `merged` and `left_stage`
events. A look reads what was added to a final table since the last one, its last blocks, so its cost goes by what is
new, and a table needs no index for it. A file that has left its stage table without being among that (its rows took
the places of deleted ones, or newer versions of all its records are there) is looked for in the whole table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.history import FileHistory
from harness.merge import MergeRun, TypeMerge

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

    from harness.probes import Watched

# PostgreSQL extends a table by up to so many blocks at once, and may fill them after later ones
# (MAX_BUFFERS_TO_EXTEND_BY).
EXTENDED_AT_ONCE_BLOCKS = 64


@dataclass
class Added:
    """The rows that are new in tables since they were last looked at, counted by file."""

    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def rows_by_file(self, connection: "Connection", table: str) -> dict[str, int]:
        """Rows of each file in the blocks added since the last look, and in a few before; in all, the first time."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_relation_filenode(%(table)s::regclass), "
                "pg_relation_size(%(table)s::regclass) / current_setting('block_size')::int",
                {"table": table},
            )
            filenode, blocks = cursor.fetchone() or (0, 0)
            seen_filenode, seen_blocks = self._seen.get(table, (filenode, 0))
            # a table that was truncated or made anew has other storage, one that was vacuumed may be shorter
            is_longer = filenode == seen_filenode and blocks >= seen_blocks
            first = max(0, seen_blocks - EXTENDED_AT_ONCE_BLOCKS) if is_longer else 0
            cursor.execute(
                f"SELECT source_file, count(*) FROM {table} WHERE ctid >= %s::tid GROUP BY source_file",
                (f"({first},0)",),
            )
            counts = {key: int(count) for key, count in cursor.fetchall()}
        self._seen[table] = (filenode, blocks)
        return counts


@dataclass
class All:
    """The same for a warehouse that does not say where its rows lie: those of the whole table."""

    def rows_by_file(self, connection: "Connection", table: str) -> dict[str, int]:
        """Rows of each file in a table."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT source_file, COUNT(*) FROM {table} GROUP BY source_file")
            return {key: int(count) for key, count in cursor.fetchall()}


def files_in(connection: "Connection", table: str, keys: Sequence[str]) -> set[str]:
    """Those of the files that have a row in a table; reads all of it, if there are any to look for."""
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT source_file FROM {table} WHERE source_file IN %s", (tuple(keys),))
        return {key for (key,) in cursor.fetchall()}


def record_merged(watched: "Watched", run: MergeRun, connection: "Connection", added: Added | All) -> None:
    """After a merge run: which files are in the final tables now, and which are settled without a row of their own."""
    for merge in run.types:
        waiting = [file for file in watched.history.files.values() if file.type == merge.type and not file.is_settled]
        waiting = [file for file in waiting if file.sent_s or file.acknowledged_s]
        if merge.committed_s is None or not waiting:
            continue
        settings = watched.pipeline.types[merge.type]
        new_rows = added.rows_by_file(connection, settings.final_table)
        merged, unsure = whole(waiting, merge, new_rows)
        staged = files_in(connection, settings.stage_table, unsure)
        left = [key for key in unsure if key not in staged]
        present = new_rows.keys() | files_in(connection, settings.final_table, [k for k in left if k not in new_rows])
        merged += [key for key in left if key in present]
        gone = [key for key in left if key not in present]
        times = {"started_s": merge.started_s, "committed_s": merge.committed_s}
        if merged:
            watched.ledger.append("merged", type=merge.type, run=run.run, keys=merged, **times)
        if gone:
            watched.ledger.append("left_stage", type=merge.type, run=run.run, keys=gone, **times)


def whole(waiting: Sequence[FileHistory], merge: TypeMerge, new_rows: dict[str, int]) -> tuple[list[str], list[str]]:
    """Files all of whose records were added, and others that were staged when the merge began.

    A file whose records were all there already, or are newer elsewhere, leaves the stage without a row.
    """
    merged, unsure = [], []
    for file in waiting:
        if new_rows.get(file.key, 0) >= file.records:
            merged.append(file.key)
        elif file.success is not None and file.success.end_s <= merge.started_s:
            unsure.append(file.key)
    return merged, unsure

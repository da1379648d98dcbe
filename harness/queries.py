"""The warehouse's query log of a run: kept beside the ledger, read back for `harness export`.

In: the gateway's log, which belongs to the stack and outlives or predates the run. Out: `queries.jsonl` in the run
directory with what was logged meanwhile, and, of each file, how long its COPY waited for the stage table's lock. The
gateway has taken credentials out of it.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.history import FileHistory, History

NAME = "queries.jsonl"
COPY_INTO = re.compile(r'^\s*COPY\s+"?([^\s".]+)"?\."?([^\s".(]+)', re.IGNORECASE)
# The commit that the handler logs is read a moment after the COPY; clocks are the same machine's.
SLACK_S = 0.05


@contextmanager
def kept(log: Path, run: Path) -> Iterator[None]:
    """Copy what is appended to `log` during the block into the run directory, however the block ends."""
    from_byte = log.stat().st_size if log.exists() else 0
    try:
        yield
    finally:
        if log.exists():
            with log.open("rb") as source, (run / NAME).open("wb") as target:
                source.seek(from_byte)
                shutil.copyfileobj(source, target)


def read(run: Path) -> Iterator[dict[str, Any]]:
    """The statements of a run, in the order in which they ended; none where no log was kept."""
    if not (run / NAME).is_file():
        return
    with (run / NAME).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                # the last line of a gateway that was killed
                return


def note_lock_waits(history: History, run: Path, stage_tables: Mapping[str, str]) -> None:
    """Tell apart, in each file's `copy` phase, the wait for the lock of its stage table (type -> table).

    COPYs into one table hold its lock to the end of their transactions, so they commit in the order in which they end:
    a file's own is the last that ended before its commit.
    """
    copies: dict[str, list[dict[str, Any]]] = {}
    for query in read(run):
        found = COPY_INTO.match(query.get("sql") or "")
        if found and not query.get("error") and "lock_wait_s" in query:
            copies.setdefault(f"{found[1]}.{found[2]}".lower(), []).append(query)
    for file in history.files.values():
        mine = [
            query
            for query in copies.get(stage_tables.get(file.type, "").lower(), ())
            if file.success is not None
            and file.committed_s is not None
            and file.success.start_s <= query["at_s"]
            and query["end_s"] <= file.committed_s + SLACK_S
        ]
        if mine and "lock_wait" not in file.phase_ms:
            _split(file, max(mine, key=lambda query: float(query["end_s"]))["lock_wait_s"] * 1000)


def _split(file: FileHistory, waited_ms: float) -> None:
    copy_ms = file.phase_ms.get("copy")
    if copy_ms is not None:
        waited_ms = min(waited_ms, copy_ms)
        file.phase_ms = file.phase_ms | {"lock_wait": waited_ms, "copy": copy_ms - waited_ms}

"""The warehouse's query log of a run: kept beside the ledger, read back for `harness export`.

In: the gateway's log, which belongs to the stack and outlives or predates the run. Out: `queries.jsonl` in the run
directory with what was logged meanwhile. The gateway has taken credentials out of it.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "queries.jsonl"


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

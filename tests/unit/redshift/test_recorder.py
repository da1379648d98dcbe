"""How much of what was loaded is kept in memory."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.redshift.connect import Address
from harness.redshift.querylog import QueryLog
from harness.redshift.recorder import KEEP_LOADS, LoadHistory, LoadRecorder


def test_loads_that_nobody_looks_at_are_written_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    log = QueryLog(None)
    written: list[list[LoadHistory]] = []
    monkeypatch.setattr(LoadRecorder, "_write", lambda _self, loads, *_: written.append(loads))

    async def load(count: int, recorder: LoadRecorder) -> None:
        record: Any = log.begin(1, "u", "dev", "COPY", "copy t", 1)
        for _ in range(count):
            await recorder.write(LoadHistory(record, "t", "s3://b/k", "csv"))

    with ThreadPoolExecutor(1) as threads:
        recorder = LoadRecorder(Address("127.0.0.1", 1, "u", "", "dev"), threads, log)
        asyncio.run(load(KEEP_LOADS - 1, recorder))
        assert written == []
        asyncio.run(load(KEEP_LOADS + 1, recorder))
    assert [len(loads) for loads in written] == [KEEP_LOADS, KEEP_LOADS]

"""What runs inside a function whose invocations are to break: the real handler first, then the fault.

In: NRT_FAULT (crash, timeout, memory), NRT_FAULT_ONE_IN, NRT_FAULT_HANDLER. Only a message's first delivery breaks, so
the second must put right what the first left. It imports nothing of the harness.
"""

import importlib
import json
import os
import time
import zlib
from typing import Any

CRASH_EXIT_CODE = 134
BLOCK_BYTES = 64 * 2**20


def is_chosen(message: dict[str, Any], one_in: int) -> bool:
    """Whether this delivery breaks: by the first key it announces, so that every run says the same."""
    first = int(message["attributes"]["ApproximateReceiveCount"]) == 1
    records = json.loads(message["body"]).get("Records") or []
    return first and bool(records) and zlib.crc32(records[0]["s3"]["object"]["key"].encode()) % one_in == 0


def handler(event: dict[str, Any], context: object) -> Any:
    """Lambda's entry."""
    module, _, name = os.environ["NRT_FAULT_HANDLER"].rpartition(".")
    answer = getattr(importlib.import_module(module), name)(event, context)
    if any(is_chosen(message, int(os.environ["NRT_FAULT_ONE_IN"])) for message in event["Records"]):
        _break(os.environ["NRT_FAULT"], context)
    return answer


def _break(how: str, context: Any) -> None:
    if how == "crash":
        os._exit(CRASH_EXIT_CODE)
    if how == "timeout":
        time.sleep(context.get_remaining_time_in_millis() / 1000 + 60)
    if how == "memory":
        taken = []
        while True:
            taken.append(bytearray(os.urandom(2**20) * (BLOCK_BYTES // 2**20)))

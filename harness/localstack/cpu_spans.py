"""Where the emulator's CPU goes: seconds of thread time by service and by part of our plugin.

In: `NRT_CPU_FILE`. Out: that file, written anew twice a second: {"s3": seconds, …}. Without the variable nothing is
installed. A span that runs inside another is counted once, in the inner one. Threads outside any span (the HTTP server,
LocalStack's own) are the difference to what the kernel counts for the process.
"""

import json
import threading
import time
from pathlib import Path
from typing import Any

from localstack.services.sqs.provider import SqsProvider
from rolo.gateway import chain

from harness.localstack import invoker, log_writer
from harness.localstack.executor import ProcessRuntimeExecutor
from harness.localstack.poller import SqsEventSourceWorker
from harness.localstack.spans import Spans

WRITE_EVERY_S = 0.5


def _service_of(_chain: Any, context: Any, *_others: Any, **_more: Any) -> str:
    service = getattr(context, "service", None)
    return str(service.service_name) if service else "other requests"


def install(path: Path) -> None:
    """Count from now on, and keep writing to `path`."""
    spans = Spans()
    chain.HandlerChain.handle = spans.spanning(_service_of, chain.HandlerChain.handle)
    for owner, attribute, name in (
        (SqsProvider, "receive_message", "sqs"),
        (SqsProvider, "delete_message_batch", "sqs"),
        (SqsProvider, "send_message", "sqs"),
        (SqsEventSourceWorker, "_process", "poller"),
        (SqsEventSourceWorker, "_hand_out_one", "poller"),
        (invoker, "invoke", "lambda"),
        (ProcessRuntimeExecutor, "invoke", "executor"),
        (log_writer, "write", "logs"),
    ):
        function = getattr(owner, attribute)
        setattr(owner, attribute, spans.spanning(lambda *_args, fixed=name, **_kwargs: fixed, function))
    threading.Thread(target=_keep_writing, args=(spans, path), name="cpu-spans", daemon=True).start()


def _keep_writing(spans: Spans, path: Path) -> None:
    new = path.with_suffix(".new")
    while True:
        new.write_text(json.dumps(spans.totals_s()))
        new.replace(path)
        time.sleep(WRITE_EVERY_S)

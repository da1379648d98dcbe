"""What the load processes tell the one that started them: one JSON object a line on standard output, at once."""

import json
import os
import sys

from harness.errors import ExitCode


def emit(event: str, **fields: object) -> None:
    """Write one event. Times are seconds of the Unix epoch, as `time.time()` gives them."""
    try:
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody listens any more: the parent is gone, and this process with it. What went unrecorded did not count.
        os._exit(ExitCode.HARNESS_FAILED)

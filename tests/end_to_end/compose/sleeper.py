"""A handler that is not through when its time is over."""

import time
from typing import Any


def handler(_event: dict[str, Any], context: Any) -> None:
    """Sleep past the function's timeout."""
    time.sleep(context.get_remaining_time_in_millis() / 1000 + 5)

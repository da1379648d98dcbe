"""Exit 0 once every service that SERVICES names is up (the port answers before they are, and when they failed)."""

import json
import os
import sys
import time
import urllib.error
import urllib.request

LIMIT_S = 20.0
LOOK_EVERY_S = 0.2


def healthy() -> bool:
    """Whether all of them are up at this moment."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:4566/_localstack/health", timeout=4) as answer:
            states = json.load(answer)["services"]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return all(states.get(name) in ("available", "running") for name in os.environ["SERVICES"].split(","))


if __name__ == "__main__":
    deadline = time.monotonic() + LIMIT_S
    while not healthy():
        if time.monotonic() > deadline:
            sys.exit(1)
        time.sleep(LOOK_EVERY_S)

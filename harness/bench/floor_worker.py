"""One process of the floor: loads files with the handler's own code, one after the other, as fast as it goes.

    python -m harness.bench.floor_worker WORK

WORK is JSON: {"handler": dotted path, "types": [{"environment": {…}, "events": [Lambda event, …]}, …], "first": n}.
It loads a file of each type to be warm, says {"ready": true}, and begins when a line comes on standard input: the
number of files to load. Then it says {"files", "seconds", "cpu_s"}. Several handler modules cannot be had in one
process, so the types share the handler's module, each with the environment that it caches.
"""

import importlib
import json
import os
import sys
import time
from itertools import cycle, islice
from typing import Any

from harness.errors import HarnessError


def _load(app: Any, handler: Any, environment: Any, event: dict[str, Any]) -> None:
    app.environment = lambda: environment
    failed = handler(event, None)["batchItemFailures"]
    if failed:
        raise HarnessError(f"the handler failed: {event['Records'][0]['body']}")


def main() -> None:
    """Load what it is told to; see the module's own words."""
    work: dict[str, Any] = json.loads(sys.argv[1])
    said, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115, PTH123 - the handler's log, for good
    module, _, name = work["handler"].rpartition(".")
    app = importlib.import_module(module)
    handler, make_environment = getattr(app, name), app.environment
    turns = []
    for described in work["types"]:
        os.environ.update(described["environment"])
        make_environment.cache_clear()
        turns.append((make_environment(), described["events"]))
    turns = turns[work["first"] :] + turns[: work["first"]]
    rounds = cycle([(environment, event) for number in range(len(turns[0][1])) for environment, events in turns
                    for event in events[number : number + 1]])  # fmt: skip
    for environment, event in islice(rounds, len(turns)):
        _load(app, handler, environment, event)
    print(json.dumps({"ready": True}), file=said, flush=True)
    files = int(sys.stdin.readline())
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for environment, event in islice(rounds, files):
        _load(app, handler, environment, event)
    done = {"files": files, "seconds": time.perf_counter() - began_s, "cpu_s": time.process_time() - cpu_s}
    print(json.dumps(done), file=said, flush=True)


if __name__ == "__main__":
    main()

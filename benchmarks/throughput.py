"""The whole pipeline at ten times the original's load, its floor, and where the CPU goes: one JSON line.

    python -m benchmarks.throughput [--rate 600/min] [--duration 3m] [any option of `harness bench throughput`]

It is that command with --json, on one line, for those who collect benchmarks.
"""

import json
import subprocess
import sys


def main() -> int:
    command = [sys.executable, "-m", "harness", "bench", "throughput", "--json", *sys.argv[1:]]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.stdout:
        print(json.dumps(json.loads(done.stdout)))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

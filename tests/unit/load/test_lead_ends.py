"""Locust waits for the end of the process that conducts a run, also where nobody reads any more what it says."""

import subprocess
import sys

# in a process of its own: importing Locust changes the standard library's sockets and threads
_SCRIPT = """
import io, sys
from pathlib import Path
from types import SimpleNamespace
from harness.load.lead import Leader, Options

class Gone:
    def write(self, text):
        raise BrokenPipeError
    flush = write

leader = Leader(SimpleNamespace(process_exit_code=None), Options(Path("s.py"), Path("p.toml"), "out"))
conductor = SimpleNamespace(stdin=io.StringIO(), stdout=io.StringIO(""), wait=lambda: 1, returncode=1)
sys.stderr = Gone()
try:
    leader._listen(conductor)
except BrokenPipeError:
    print("nobody reads")
finally:
    sys.stderr = sys.__stderr__
print("ended", leader.ended.is_set(), leader.environment.process_exit_code)
"""


def test_a_run_has_ended_though_nobody_reads_what_is_said_of_it() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], check=False, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["nobody reads", "ended True 4"], done.stderr

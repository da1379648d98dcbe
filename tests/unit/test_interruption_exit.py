"""The exit code of a command that was interrupted while Python ran code from a string."""

import subprocess
import sys
from pathlib import Path

_MODULE = """
import sys
from harness import interruption
with interruption.raises():
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        sys.exit(interruption.EXIT_CODE)
"""


def test_an_interruption_in_code_from_a_string_is_handled_like_any(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(_MODULE)
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, check=False)
    assert done.returncode == 3

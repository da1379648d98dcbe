"""A command that is stopped in its first moments says so, with the exit code of an interruption."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT

# What is being imported when the signal comes: by the command line itself, by the command, and by libraries in C.
MOMENTS = ("harness.cli", "click", "harness.command_run", "pydantic", "psutil")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_command_that_is_stopped_while_it_is_loaded_was_interrupted(
    number: signal.Signals, moment: str, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-v", "-m", "harness", "run", "smoke", "--pipeline", ROOT / "pipeline.toml"],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # a shell starts background jobs with SIGINT ignored, and these tests may run in one
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    # `python -v` names each file as it comes to it
    path = f"/{moment.replace('.', '/')}"
    for line in process.stderr:
        if line.startswith("# code object from") and path in line:
            break
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said[-2_000:]
    assert "harness: interrupted" in said
    assert "Traceback" not in said

"""Can the handler be imported, in the Python that is to run it? Asked before anything is started.

In: a pipeline. Out: nothing, or a UsageError with the import's own words.
"""

import os
import subprocess
import sys
from pathlib import Path

from harness.errors import UsageError
from harness.pipeline import Pipeline

IMPORT_TIMEOUT_S = 120
# As awslambdaric does it: the part after the last dot is the function.
_PROBE = """
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
try:
    found = getattr(importlib.import_module(module), name)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
if not callable(found):
    sys.exit(f"{name} is not callable")
"""


def check_handlers(pipeline: Pipeline, pipeline_file: Path) -> None:
    """Import every handler that the pipeline names, once each.

    Raises:
        UsageError: one cannot be imported; names file, key, value and reason.
    """
    for python, handler in {
        (function.python or sys.executable, function.handler) for function in map(pipeline.function_of, pipeline.types)
    }:
        where = f"{pipeline_file}: function.handler: {handler!r}"
        try:
            result = subprocess.run(
                [python, "-c", _PROBE, handler], cwd=pipeline.directory, capture_output=True, text=True,
                timeout=IMPORT_TIMEOUT_S, check=False, env=os.environ | {"PYTHONPATH": str(pipeline.directory)},
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"{pipeline_file}: function.python: {python!r}: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{where} was not imported within {IMPORT_TIMEOUT_S} s") from error
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise UsageError(f"{where} cannot be imported by {python}: {reason}")

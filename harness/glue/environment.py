"""The environment of the Glue job: Spark in `.venv-glue`, and a Java that it runs on.

In: this machine. Out: the paths to start `spark-submit` with, or one line that says what is missing and what to do.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

JAVA_VERSIONS = (17,)  # Glue 5's; Spark 3.5 itself runs on 8, 11 and 17
JAVA_TIMEOUT_S = 60


@dataclass(frozen=True)
class GlueEnvironment:
    """The interpreter of the job, Spark's launcher beside it, and the Java that both run."""

    python: Path
    spark_submit: Path
    java: Path


def find() -> GlueEnvironment:
    """The environment beside the harness's own, or where NRT_GLUE_PYTHON says.

    Raises:
        HarnessError: it was not set up, or there is no Java 17.
    """
    override = os.environ.get("NRT_GLUE_PYTHON")
    python = Path(override) if override else Path(sys.prefix).parent / ".venv-glue" / "bin" / "python"
    spark_submit = python.with_name("spark-submit")
    if not spark_submit.exists():
        raise HarnessError(f"{spark_submit} is not there: `make setup-glue` makes the environment of the Glue job")
    return GlueEnvironment(python, spark_submit, _java())


def _java() -> Path:
    home = os.environ.get("JAVA_HOME")
    where = f"JAVA_HOME {home}" if home else "PATH"
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    what_to_do = "install it (on Debian: apt-get install openjdk-17-jre-headless) or name it with JAVA_HOME"
    if found is None:
        raise HarnessError(
            f"the Glue job runs on Spark, which needs Java 17, and there is no java in {where}: {what_to_do}"
        )
    told = subprocess.run(
        [found, "-version"], capture_output=True, text=True, timeout=JAVA_TIMEOUT_S, check=False
    ).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) not in JAVA_VERSIONS:
        said = (told.strip().splitlines() or ["nothing"])[0]
        raise HarnessError(f"the Glue job runs on Spark, which needs Java 17, and {found} says {said!r}: {what_to_do}")
    return Path(found)

"""Resolve `requirements/*.in` into hash-pinned `*.txt` that hold no index address.

The emulator is resolved as of EMULATOR_AS_OF: later releases of its dependencies break it.
"""

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent
EMULATOR_AS_OF = "2026-02-20"
OLDEST_PYTHON = "3.11"


def lock(name: str, *options: str, directory: Path = REQUIREMENTS) -> None:
    uv = REQUIREMENTS.parent / ".venv" / "bin" / "uv"
    subprocess.run(
        [uv, "pip", "compile", "-q", "--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes",
         "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock", *options,
         f"{name}.in", "-o", f"{name}.txt"],
        check=True, cwd=directory, env=os.environ,
    )  # fmt: skip


def main() -> int:
    lock("setup", *sys.argv[1:])
    lock("harness", *sys.argv[1:])
    lock("dev", *sys.argv[1:])
    lock("glue", *sys.argv[1:])
    lock("ministack", *sys.argv[1:])
    lock("otava", *sys.argv[1:])
    for directory in ("handler", "docker/redshift"):
        lock("requirements", *sys.argv[1:], directory=REQUIREMENTS.parent / directory)
    lock("emulator", "--exclude-newer", EMULATOR_AS_OF, *sys.argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())

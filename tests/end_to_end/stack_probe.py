"""What a machine shows of a stack: processes by their command line, and who listens where."""

from pathlib import Path

import psutil


def processes_of(directory: Path, pids: dict[str, int]) -> list[int]:
    """Live processes that belong to a stack: its parts, and whatever was started below its directory."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status", "environ"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        text = " ".join(process.info["cmdline"] or []) + str(process.info["environ"] or "")
        if process.info["pid"] in pids.values() or str(directory) in text:
            found.append(process.info["pid"])
    return found

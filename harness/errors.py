"""What can go wrong, as far as the person at the keyboard is concerned, and the exit code that says so.

Every error a user can meet is one of these; `harness.cli` prints its message as one line and exits with its code.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the `harness` command. A crash must never read as an SLA breach."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    HARNESS_FAILED = 4


class HarnessError(Exception):
    """The harness itself could not do its work: a port, a directory, a process."""

    exit_code = ExitCode.HARNESS_FAILED


class UsageError(HarnessError):
    """What the user gave cannot be used; the message names the thing, what was wrong and what to do."""

    exit_code = ExitCode.USAGE

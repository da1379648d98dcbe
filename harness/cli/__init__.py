"""The `harness` command: words to calls, results to standard output, errors to one line and an exit code.

A module a group of commands; each imports what is slow only in the command that needs it, so that `--help` answers at
once. What a command does is in `harness/command_*.py` and beyond.
"""

from harness.cli.root import cli, main

__all__ = ["cli", "main"]

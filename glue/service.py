"""What `awsglue` gives a job script, as far as this one uses it: its arguments and its bookmark.

In: `sys.argv` and a state file. Out: the arguments by name; the bookmark of the last run that committed. On AWS
`awsglue.utils.getResolvedOptions` and `awsglue.job.Job` take this module's place, and the service keeps the state.
Source: Glue Developer Guide, "Accessing parameters using getResolvedOptions" and "Tracking processed data using job
bookmarks".
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from glue.bookmark import NOTHING_YET, Bookmark


def getResolvedOptions(argv: Sequence[str], option_names: Sequence[str]) -> dict[str, str]:  # noqa: N802 - awsglue's name
    """The values of `--NAME value` in `argv`; other arguments are the service's own and are left alone.

    Raises:
        SystemExit: one of the names is missing, as in awsglue.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in option_names:
        parser.add_argument(f"--{name}", required=True)
    return dict(vars(parser.parse_known_args(argv[1:])[0]))


class Job:
    """A job run: `init` reads the bookmark, `commit` moves it on. A run that never commits leaves it where it was, so
    the next run finds the same files again."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.name = ""
        self.bookmark = NOTHING_YET

    def init(self, name: str) -> None:
        """Take the bookmark of the last run that committed.

        Raises:
            ValueError: the state cannot be read.
        """
        self.name = name
        if self._state.exists():
            self.bookmark = Bookmark.from_json(json.loads(self._state.read_text(encoding="utf-8")))

    def commit(self, bookmark: Bookmark) -> None:
        """Keep the bookmark for the next run, whole or not at all."""
        self.bookmark = bookmark
        new = self._state.with_suffix(".new")
        new.write_text(json.dumps(bookmark.to_json()), encoding="utf-8")
        new.replace(self._state)

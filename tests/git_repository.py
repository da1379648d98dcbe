"""A git repository of a test's own, with an identity of its own, whatever this machine's git is set to."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class GitRepository:
    """A working tree in which whatever is there can be made a version."""

    path: Path

    @classmethod
    def begin(cls, path: Path) -> "GitRepository":
        """An empty repository in a directory that is made."""
        path.mkdir()
        repository = cls(path)
        repository._git("init", "-q", "-b", "main")
        return repository

    def tag(self, name: str) -> None:
        """Commit all that is there, as a version of this name."""
        self._git("add", ".")
        self._git("commit", "-qm", name)
        self._git("tag", name)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", self.path, *IDENTITY, *arguments], check=True, capture_output=True)

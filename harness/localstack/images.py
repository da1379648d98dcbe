"""What stands behind an `ImageUri` here: a local handler environment instead of a container image.

In: the JSON file named by NRT_IMAGES,
`{"nrt-handler:latest": {"python": "…/bin/python", "working_directory": "…", "command"?: ["handler.app.handler"],
"environment"?: {…}}}`, read anew at each look-up so that images can be registered while the emulator runs.
Out: an `Image`. Knows nothing of LocalStack.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

TASK_ROOT = PurePosixPath("/var/task")


class ImageNotRegistered(Exception):
    """No such image is known here."""


@dataclass(frozen=True)
class Image:
    """A handler environment: the interpreter that has its packages, and the directory its code is imported from."""

    uri: str
    python: str
    working_directory: str
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A stand-in for the image's sha256; changes when the registration does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def argv(self, entry_point: Sequence[str] | None, command: Sequence[str] | None) -> tuple[str, ...]:
        """The process to run: ENTRYPOINT and CMD, each overridden by the function's ImageConfig when given."""
        entry = tuple(entry_point or (self.python, "-m", "awslambdaric"))
        if PurePosixPath(entry[0]).name.startswith("python"):
            entry = (self.python, *entry[1:])
        return (*entry, *(command or self.command))

    def directory(self, override: str | None) -> str:
        """The working directory; an override below /var/task is meant relative to the image's own."""
        if not override:
            return self.working_directory
        path = PurePosixPath(override)
        if path.is_relative_to(TASK_ROOT):
            return str(PurePosixPath(self.working_directory) / path.relative_to(TASK_ROOT))
        return override


def look_up(uri: str, images_file: Path | None) -> Image:
    """Find a registered image.

    Raises:
        ImageNotRegistered: no file, or the file does not name it.
        ValueError: the registration is not as it should be.
    """
    if images_file is None or not images_file.exists():
        raise ImageNotRegistered(f"Source image {uri} does not exist. NRT_IMAGES names no file of registered images.")
    entry = json.loads(images_file.read_text()).get(uri)
    if entry is None:
        raise ImageNotRegistered(f"Source image {uri} does not exist. Provide a valid source image.")
    try:
        return Image(
            uri,
            entry["python"],
            entry["working_directory"],
            tuple(entry.get("command", ())),
            entry.get("environment", {}),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{images_file}: {uri}: wants python and working_directory, got {entry!r}") from error

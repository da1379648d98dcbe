"""The files `harness init DIR` writes: a pipeline of one type to start one's own from.

In: a directory. Out: a commented pipeline.toml, a handler, DDL and a merge in it. It knows nothing of what they say.
"""

from importlib import resources
from pathlib import Path

from harness.errors import UsageError

TEMPLATES = ("pipeline.toml", "loader.py", "tables.sql", "merge_events.sql")


def init(directory: Path) -> list[Path]:
    """Write the templates into `directory`, which is made if need be; the paths written.

    Raises:
        UsageError: one of the files is there already (then none is written), or the directory cannot be had.
    """
    paths = [directory / name for name in TEMPLATES]
    if existing := [path.name for path in paths if path.exists()]:
        raise UsageError(f"{directory}: {', '.join(existing)} would be overwritten; name another directory")
    packaged = resources.files("harness") / "templates"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in paths:
            path.write_bytes((packaged / path.name).read_bytes())
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}") from error
    return paths

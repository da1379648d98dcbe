"""What this machine says of the processes of functions; for tests of the embedded emulator."""

from pathlib import Path


def _state_and_parent(pid: int) -> tuple[str, int]:
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and no zombie."""
    try:
        return _state_and_parent(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def ancestor(pid: int, command_part: str) -> int:
    """The next process above `pid` whose command has this in it."""
    while command_part not in Path(f"/proc/{pid}/cmdline").read_text():
        pid = _state_and_parent(pid)[1]
        assert pid > 1, f"nothing above runs {command_part}"
    return pid

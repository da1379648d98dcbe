"""The `harness` command, and `python -m harness`: interruptions are looked after first, then all else is imported."""

from harness import interruption


def main() -> None:
    """The console script."""
    with interruption.ends():
        from harness.cli import main as harness
    with interruption.raises():
        harness()


if __name__ == "__main__":
    main()

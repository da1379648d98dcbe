"""A Redshift stand-in: a wire gateway in front of PostgreSQL that Redshift clients connect to unmodified."""

from harness.redshift.gateway import Gateway, Listening, Settings, running

__all__ = ["Gateway", "Listening", "Settings", "running"]

"""A Redshift stand-in: a wire gateway in front of PostgreSQL that Redshift clients connect to unmodified."""

from harness.redshift.gateway import Gateway, Listening, Settings, running
from harness.redshift.latency import LatencyModel

__all__ = ["Gateway", "LatencyModel", "Listening", "Settings", "running"]

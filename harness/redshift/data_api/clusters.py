"""DescribeClusters of Redshift: where the one cluster that is here listens, whatever name it is asked for by.

In: requests. Out: its endpoint, database and user, so that a client that looks its cluster up finds the gateway. Knows
nothing of HTTP. Source: Amazon Redshift API Reference, "DescribeClusters".
"""

from dataclasses import dataclass
from typing import Any

from harness.redshift.data_api.errors import ApiError

DEFAULT_IDENTIFIER = "nrt-harness"


@dataclass(frozen=True)
class Clusters:
    """The gateway as the only cluster of its account."""

    host: str
    port: int
    user: str
    database: str

    def describe_clusters(self, request: dict[str, Any]) -> dict[str, Any]:
        """`redshift` DescribeClusters.

        Raises:
            ApiError: it asks for tags, which nothing here has.
        """
        if request.get("TagKeys") or request.get("TagValues"):
            raise ApiError("UnsupportedOperation", "the stand-in has no tags: ask by ClusterIdentifier")
        cluster = {
            "ClusterIdentifier": request.get("ClusterIdentifier", DEFAULT_IDENTIFIER),
            "ClusterStatus": "available",
            "ClusterAvailabilityStatus": "Available",
            "DBName": self.database,
            "MasterUsername": self.user,
            "Endpoint": {"Address": self.host, "Port": self.port},
        }
        return {"Clusters": [cluster]}

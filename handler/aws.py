"""One AWS session for the life of the execution environment, with one client for each service.

In: the environment's credentials and endpoint, as boto3 reads them. Out: a `boto3.Session` to hand to awswrangler. It
knows nothing of what is done with it.
"""

from typing import Any

import boto3
from botocore.config import Config

# awswrangler's own
_CONFIG = Config(retries={"max_attempts": 5}, connect_timeout=10)


class ReusingSession(boto3.Session):
    """A session that makes each service's client once.

    awswrangler asks its session for a client on every call, and making one costs 5 to 6 ms of CPU even from a session
    that has made it before (100 ms from a new session): four calls a file.
    """

    def __init__(self) -> None:
        super().__init__()
        self._clients: dict[str, Any] = {}

    def client(self, service_name: str, **options: Any) -> Any:  # type: ignore[override]
        """The service's client, made with the options of the first call: awswrangler's are the same every time.

        A caller without options of its own gets awswrangler's timeouts and attempts, whichever of them is first.
        """
        if service_name not in self._clients:
            options.setdefault("config", _CONFIG)
            self._clients[service_name] = super().client(service_name, **options)  # type: ignore[call-overload]
        return self._clients[service_name]

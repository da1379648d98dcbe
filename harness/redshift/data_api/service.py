"""The Data API of one gateway, from its settings to a listening server.

In: where the gateway listens and who may log in. Out: a `Server` with everything behind it; `close` ends all of it.
"""

from typing import TYPE_CHECKING, Any

import psycopg2

from harness.redshift.data_api.clusters import Clusters
from harness.redshift.data_api.credentials import PREFIX, TemporaryCredentials
from harness.redshift.data_api.metadata import Metadata
from harness.redshift.data_api.operations import DataApi
from harness.redshift.data_api.results import prepare
from harness.redshift.data_api.runner import Runner, Warehouse
from harness.redshift.data_api.server import Application, Server
from harness.redshift.data_api.sessions import Sessions
from harness.redshift.logins import Logins

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

APPLICATION_NAME = "Redshift Data API"
CONNECT_WITHIN_S = 60
STATEMENT_TIMEOUT_MS = 24 * 3600 * 1000  # the longest a statement may run


class Service:
    """A running Data API."""

    def __init__(
        self,
        gateway: tuple[str, int],
        port: int,
        logins: Logins,
        warehouse: Warehouse,
    ) -> None:
        host, gateway_port = gateway

        def connect(request: dict[str, Any]) -> "Connection":
            issued = logins.issue(request.get("DbUser", logins.user), CONNECT_WITHIN_S)
            connection = psycopg2.connect(
                host=host, port=gateway_port, user=PREFIX + issued.user, password=issued.password,
                dbname=request["Database"], sslmode="disable", application_name=APPLICATION_NAME,
                options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
            )  # fmt: skip
            connection.autocommit = True
            prepare(connection)
            return connection

        self._runner = Runner(Sessions(connect), warehouse)
        clusters = Clusters(host, gateway_port, logins.user, logins.database)
        application = Application(DataApi(self._runner, Metadata(connect)), TemporaryCredentials(logins), clusters)
        self._server = Server(host, port, application)
        self.url = self._server.url

    def close(self) -> None:
        self._server.close()
        self._runner.close()

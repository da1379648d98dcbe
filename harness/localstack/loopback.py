"""LocalStack listens where GATEWAY_LISTEN says.

Its server takes only the port from an IPv4 entry and listens on every interface (`TODO: interface = host?` in
`localstack/runtime/server/twisted.py`, 4.13.1): anyone on the network could run functions here.
"""

from types import SimpleNamespace
from typing import Any

from localstack import config
from localstack.runtime.server import twisted as server


def bind_to_configured_host() -> None:
    """Have the server bind the host of each IPv4 entry; call it before the server is registered."""
    hosts = {entry.port: entry.host for entry in config.GATEWAY_LISTEN if not config.is_ipv6_address(entry.host)}
    original = server.endpoints

    def tcp4_endpoint(reactor: Any, port: int) -> Any:
        return original.TCP4ServerEndpoint(reactor, port, interface=hosts[port])

    server.endpoints = SimpleNamespace(TCP4ServerEndpoint=tcp4_endpoint, TCP6ServerEndpoint=original.TCP6ServerEndpoint)

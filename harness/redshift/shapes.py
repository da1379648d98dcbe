"""Of one session: what its statements and portals take and return where Redshift's types differ from PostgreSQL's.

In: the bodies of Parse, Bind, Describe and Close. Out: the same for PostgreSQL, and the `Shape` of their rows. Knows
nothing of SQL.
"""

import struct

from harness.redshift import messages as wire
from harness.redshift import result_types
from harness.redshift.result_types import Shape


class Shapes:
    """By the names that the client gave."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, str], Shape] = {}  # of statements (S) and portals (P)
        self._parameters: dict[str, dict[int, int]] = {}  # of a statement: those of Redshift's own types

    def parse(self, name: str, types: bytes) -> bytes:
        """A statement is prepared: the parameter types for PostgreSQL."""
        self._shapes["S", name] = Shape()
        types, self._parameters[name] = result_types.parameter_types(types)
        return types

    def bind(self, portal: str, name: str, body: bytes) -> bytes:
        """A statement is bound: the body for PostgreSQL.

        Raises:
            ProtocolError: the message is malformed.
        """
        shape = self._shapes["P", portal] = (self._shapes.get(("S", name)) or Shape()).bound(body)
        body = shape.sendable(body)
        own = self._parameters.get(name)
        if not own:
            return body
        try:
            return result_types.parameters(body, own)
        except (struct.error, ValueError) as error:
            raise wire.ProtocolError("insufficient data left in message") from error

    def of_portal(self, portal: str) -> Shape | None:
        return self._shapes.get(("P", portal))

    def of(self, body: bytes) -> Shape | None:
        """The shape that a Describe message is about."""
        name, _ = wire.read_text(body, 1)
        return self._shapes.get((body[:1].decode("latin-1"), name))

    def close(self, body: bytes) -> None:
        name, _ = wire.read_text(body, 1)
        self._shapes.pop((body[:1].decode("latin-1"), name), None)
        if body[:1] == b"S":
            self._parameters.pop(name, None)

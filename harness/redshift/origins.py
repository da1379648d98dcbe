"""Describe, as version 1 of Redshift's protocol answers it: each column with the table's column that it is.

In: a client's Describe. Out: the messages for the client. Source: `handle_ROW_DESCRIPTION` of redshift_connector, which
is open; no guide has the layout.
"""

import logging
import struct

from harness.redshift import messages as wire
from harness.redshift import numerics, result_types
from harness.redshift.backend import Backend, Statement
from harness.redshift.exchanges import BackendError, Skipped
from harness.redshift.numerics import Decimal
from harness.redshift.result_types import Origin, Shape

_logger = logging.getLogger(__name__)
_TREE = "SELECT redshift_internal.parse_tree($1, $2::pg_catalog.oid[])"
_ORIGINS = """
    SELECT a.attrelid, a.attnum, redshift_internal.shown(n.nspname), redshift_internal.shown(c.relname),
           redshift_internal.shown(a.attname), pg_catalog.current_database(),
           CASE WHEN a.attnotnull THEN 0 ELSE 1 END, CASE WHEN a.attidentity = '' THEN 0 ELSE 1 END
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attrelid = ANY ($1::pg_catalog.oid[])
"""


async def describe(backend: Backend, body: bytes, shape: Shape | None, sql: str | None) -> bytes:
    """Have PostgreSQL answer a Describe, and look up where its columns come from; its error if it refuses.

    sql: the statement, if it is known, from which protocol version 2 has to know the scale of every number.
    """
    try:
        return await _describe(backend, body, shape, sql)
    except BackendError as error:
        return wire.message(b"E", backend.filter_error(error.body))
    except Skipped:  # an earlier message of the pipeline failed
        return b""


async def _describe(backend: Backend, body: bytes, shape: Shape | None, sql: str | None) -> bytes:
    answer = await backend.describe_for_client(body)
    parameters = b"" if answer.parameters is None else wire.message(b"t", answer.parameters)
    if not answer.returns_rows:
        return parameters + wire.message(b"n")
    message = wire.message(b"T", answer.description)
    numbers: list[Decimal] = []
    if backend.protocol >= result_types.BINARY and sql and result_types.has_unknown_scale(answer.description):
        numbers = await _infer(backend, sql, answer.parameters or b"\x00\x00")
    changed, forms = result_types.described(message, backend.protocol, numbers) or (message, {})
    if shape is not None:
        shape.is_described(forms, message)
    tables = {table for table, _ in result_types.columns(answer.description) if table}
    origins = await _look_up(backend, tables) if tables else {}
    return parameters + wire.message(b"T", result_types.with_origins(changed[5:], origins))


async def _infer(backend: Backend, sql: str, parameters: bytes) -> list[Decimal]:
    """What the computed numbers of a query are; nothing if PostgreSQL does not show how it understands it."""
    oids = ",".join(str(oid) for (oid,) in struct.iter_unpack("!I", parameters[2:]))
    ((tree,),) = await backend.run(Statement(_TREE, (sql, f"{{{oids}}}")))
    try:
        return numerics.columns(tree or "")
    except (ValueError, struct.error) as error:
        _logger.warning("the numbers of a query are taken for NUMERIC(38, 18): %s: %s", error, sql)
        return []


async def _look_up(backend: Backend, tables: set[int]) -> dict[tuple[int, int], Origin]:
    numbers = ",".join(str(table) for table in sorted(tables))
    found = {}
    for table, number, *names, nullable, autoincrement in await backend.run(Statement(_ORIGINS, (f"{{{numbers}}}",))):
        schema, name, column, database = (str(part) for part in names)
        origin = Origin(schema, name, column, database, nullable == "1", autoincrement == "1")
        found[int(str(table)), int(str(number))] = origin
    return found

"""Arrow data as PostgreSQL's binary COPY format.

In: record batches whose types are `Column.arrow`. Out: chunks of bytes. Knows nothing of where they come from or go.
"""

from collections.abc import Iterator

import pgpq
import pyarrow as pa
from pgpq import encoders, schema

from harness.redshift.copy.columns import Column

ROWS_PER_CHUNK = 16_384


def _encoder(columns: list[Column]) -> pgpq.ArrowToPostgresBinaryEncoder:
    arrow = arrow_schema(columns)
    special = {
        column.name: encoders.StringEncoderBuilder.new_with_output(arrow.field(column.name), schema.Jsonb())
        for column in columns
        if column.kind == "jsonb"
    }
    if not special:
        return pgpq.ArrowToPostgresBinaryEncoder(arrow)
    builders = {
        field.name: special.get(field.name) or pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in arrow
    }
    return pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(arrow, builders)


def arrow_schema(columns: list[Column]) -> pa.Schema:
    return pa.schema([pa.field(column.name, column.arrow) for column in columns])


class BinaryEncoder:
    """Encodes any number of tables into one COPY stream; bytes come out when enough have gathered."""

    def __init__(self, columns: list[Column]) -> None:
        self._encoder = _encoder(columns)
        self._pending = bytes(self._encoder.write_header())

    def encode(self, table: pa.Table) -> Iterator[bytes]:
        """The bytes that are ready once these rows are in."""
        for batch in table.to_batches(max_chunksize=ROWS_PER_CHUNK):
            chunk, self._pending = self._pending + self._encoder.write_batch(batch), b""
            if chunk:
                yield chunk

    def finish(self) -> bytes:
        """The rest of the stream and its end."""
        return self._pending + bytes(self._encoder.finish())

"""Pays for first use at start: what boto3, pyarrow and pgpq load lazily would cost the first COPY 0.4 s.

In: the object store. Out: nothing but loaded code and parsed service models.
"""

import contextlib
import io

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import NoCredentialsError

from harness.redshift.copy.columns import Column
from harness.redshift.copy.encode import BinaryEncoder
from harness.redshift.copy.objects import ObjectStore
from harness.redshift.copy.parquet import fit_table, read_columnar


def warm_up(store: ObjectStore) -> None:
    """Decode and encode a small file, and have botocore build what it builds once per operation."""
    columns = [Column("a", "bigint", "bigint", None, False, "", False),
               Column("b", "character varying", "character varying(9)", 9, False, "", False)]  # fmt: skip
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), sink)
    encoder = BinaryEncoder(columns)
    list(encoder.encode(fit_table(read_columnar(sink.getvalue(), "", "PARQUET", 0), columns, "", 0)))
    encoder.finish()
    with contextlib.suppress(NoCredentialsError):  # there may be some by the time of a COPY, which says so if not
        for operation in ("get_object", "list_objects_v2", "head_object"):
            store.client.generate_presigned_url(operation, Params=_parameters(operation))


def _parameters(operation: str) -> dict[str, str]:
    return {"Bucket": "warm"} if operation == "list_objects_v2" else {"Bucket": "warm", "Key": "up"}

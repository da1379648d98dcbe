"""Redshift as Glue's connector loads it: COPY of a manifest into the stage table, then the merge, in one transaction.

In: a manifest's address and SQL. Out: rows in the final table, all of a batch's or none. The merge statements are the
connector's `postactions`. Source: Glue Developer Guide, "Redshift connections" (preactions, postactions, temporary
directory).
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redshift_connector

LABEL_CHARS = 60


@dataclass(frozen=True)
class Loaded:
    """When COPY began and ended, when the merge committed (epoch seconds), and the rows of each of its statements."""

    began_s: float
    copied_s: float
    committed_s: float
    rows: tuple[dict[str, Any], ...]


def connect(environment: Mapping[str, str]) -> redshift_connector.Connection:
    """A connection to the warehouse that REDSHIFT_HOST and the like name.

    Raises:
        KeyError: a variable is missing.
        redshift_connector.Error, OSError: Redshift cannot be reached or refuses the log-in.
    """
    if ca_file := environment.get("REDSHIFT_CA_FILE"):
        # The driver has no option for it; this variable names OpenSSL's default file.
        os.environ["SSL_CERT_FILE"] = ca_file
    return redshift_connector.connect(
        host=environment["REDSHIFT_HOST"],
        port=int(environment["REDSHIFT_PORT"]),
        database=environment["REDSHIFT_DATABASE"],
        user=environment["REDSHIFT_USER"],
        password=environment["REDSHIFT_PASSWORD"],
        ssl=True,
        sslmode="verify-full",
        application_name="nrt-glue",
        max_prepared_statements=0,
    )


def load(
    connection: redshift_connector.Connection,
    stage_table: str,
    manifest: str | None,
    iam_role: str,
    merge: Sequence[str],
) -> Loaded:
    """COPY the manifest's files, if there are any, and merge, in one transaction.

    Raises:
        redshift_connector.Error: Redshift refused it; nothing of it is in a table.
    """
    rows, began_s = list[dict[str, Any]](), time.time()
    with connection.cursor() as cursor:
        if manifest is not None:
            cursor.execute(f"COPY {stage_table} FROM '{manifest}' IAM_ROLE '{iam_role}' FORMAT AS PARQUET MANIFEST")
        copied_s = time.time()
        for statement in merge:
            cursor.execute(statement)
            if cursor.rowcount >= 0:
                rows.append({"statement": " ".join(statement.split())[:LABEL_CHARS], "rows": cursor.rowcount})
    connection.commit()
    return Loaded(began_s, copied_s, time.time(), tuple(rows))

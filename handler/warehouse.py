"""The stage table in Redshift: one connection, kept while the execution environment lives.

In: data frames that have the stage table's columns. Out: their rows in the stage table, all or none of a frame. It
knows nothing of file formats or events.
"""

import json
import os
import struct
import time
import uuid

import awswrangler as wr
import boto3
import pandas as pd
import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError

from handler import log
from handler.config import Settings
from handler.config import Warehouse as Location

# Errors under which the connection may be gone; redshift_connector cuts a half-read message with struct.error.
_MAYBE_DISCONNECTED = (redshift_connector.Error, OSError, struct.error)


class Warehouse:
    """Appends to the stage table with COPY; reconnects once when a kept connection turns out to be dead."""

    def __init__(self, settings: Settings, session: boto3.Session) -> None:
        self._settings = settings
        self._session = session
        self._connection: redshift_connector.Connection | None = None

    def connect(self) -> None:
        """Have a connection; free of cost when there is one.

        Raises:
            redshift_connector.Error, OSError: Redshift cannot be reached or refuses the log-in.
            botocore.exceptions.ClientError, KeyError: the secret cannot be had or has no password.
        """
        if self._connection is None:
            self._connection = _connect(self._settings.warehouse, self._session)

    def append(self, frame: pd.DataFrame) -> float:
        """Append all rows in one transaction; returns the time of the commit (seconds since the epoch).

        Redshift closes idle sessions, and an environment can be frozen for long: so a failure on a dead connection is
        tried once more on a new one. If the old one died after its commit, rows are staged twice, which the merge
        takes for what it is.

        Raises:
            redshift_connector.Error: Redshift refuses the rows; none of them is in the table.
            botocore.exceptions.ClientError, OSError: S3 or Redshift cannot be reached.
        """
        try:
            return self._copy(frame)
        except _MAYBE_DISCONNECTED:
            if self._alive():
                raise
            self.disconnect()
            return self._copy(frame)

    def disconnect(self) -> None:
        """Forget the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except _MAYBE_DISCONNECTED as error:
                log.event("close_failed", error=str(error))

    def _copy(self, frame: pd.DataFrame) -> float:
        self.connect()
        settings = self._settings
        # No other key begins with this one, so a retry or a neighbour's file cannot slip into the COPY.
        path = f"{settings.copy_staging_path}{settings.data_type}/{uuid.uuid4().hex}/rows.snappy.parquet"
        # What `wr.redshift.copy` does, without its two LISTs: that the path is empty, and what is there to delete.
        try:
            wr.s3.to_parquet(
                df=frame,
                path=path,
                index=False,
                compression="snappy",
                use_threads=False,
                boto3_session=self._session,
                # awswrangler's default is milliseconds.
                pyarrow_additional_kwargs={"coerce_timestamps": "us"},
            )
            wr.redshift.copy_from_files(
                path=path,
                con=self._connection,
                schema=settings.stage_schema,
                table=settings.stage_table,
                mode="append",
                iam_role=settings.copy_iam_role,
                use_threads=False,
                boto3_session=self._session,
            )
            return time.time()
        finally:
            self._remove(path)

    def _remove(self, path: str) -> None:
        # A failure to tidy up after the commit must not make a loaded file a failed one.
        try:
            wr.s3.delete_objects(path=[path], use_threads=False, boto3_session=self._session)
        except (BotoCoreError, ClientError, wr.exceptions.ServiceApiError) as error:
            log.event("staging_left", path=path, error=str(error))

    def _alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("select 1")
                cursor.fetchall()
            self._connection.rollback()
        except _MAYBE_DISCONNECTED:
            return False
        return True


def _connect(location: Location, session: boto3.Session) -> redshift_connector.Connection:
    if location.ca_file:
        # The driver trusts its own bundle and OpenSSL's default file, which this variable names; it has no option.
        os.environ["SSL_CERT_FILE"] = location.ca_file
    # No `timeout`: the driver would apply it to every answer, and a COPY may wait long for its table's lock.
    return redshift_connector.connect(
        host=location.host,
        port=location.port,
        database=location.database,
        user=location.user,
        password=location.password or _password_from_secret(str(location.password_secret_id), session),
        ssl=True,
        sslmode="verify-full",
        application_name="nrt-handler",
        # Every COPY is another text: kept prepared they would only pile up in the driver and in Redshift.
        max_prepared_statements=0,
    )


def _password_from_secret(secret_id: str, session: boto3.Session) -> str:
    # Read at every connect, so a rotated password is found by the reconnect that follows its first refusal.
    secret = session.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
    return str(json.loads(secret)["password"])

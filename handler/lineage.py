"""Where a row came from: the columns every stage table has after the type's own.

In: a file's table, its key, the time. Out: the data frame to load, in the stage table's column order: the type's
columns, then source_file varchar(1024), source_row bigint (1 for the first record) and loaded_at timestamp (UTC).
"""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa


def with_lineage(table: pa.Table, source_file: str, loaded_at: datetime.datetime) -> pd.DataFrame:
    """The table's columns and the lineage columns as a data frame of Arrow types, which copies nothing."""
    rows = table.num_rows
    loaded_at_utc = loaded_at.astimezone(datetime.UTC).replace(tzinfo=None)
    frame: pd.DataFrame = (
        table.append_column("source_file", pa.repeat(source_file, rows))
        .append_column("source_row", pa.array(np.arange(1, rows + 1, dtype=np.int64)))
        .append_column("loaded_at", pa.repeat(pa.scalar(loaded_at_utc, pa.timestamp("us")), rows))
        .to_pandas(types_mapper=pd.ArrowDtype)
    )
    return frame

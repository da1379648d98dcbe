"""Records of a data set: whole tables at once, the same for the same seed.

In: a data set, a seed and a file's number in the run. Out: an Arrow table whose key is unique over the whole run. It
knows nothing of formats, files or arrival.
"""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from generators.dataset import Column, Dataset, arrow_schema, bounds
from generators.vocabulary import vocabulary

# A file's keys are file_index * MAX_RECORDS_PER_FILE + row: no two files of a run share one.
MAX_RECORDS_PER_FILE = 2**20
# 64-bit keys begin here, as those of Snowflake's kind do: beyond 2**53 a reader that goes through floats mixes them up.
KEY_64_BASE = 2**60
NULL_SHARE = 0.02
AWKWARD_SHARE = 0.02
# Versions lie in the minute before the file's time, in microseconds.
VERSION_SPREAD_US = 60_000_000
_DAY_S = 86_400
_MICROSECONDS = 1_000_000

_Integers = npt.NDArray[np.int64]


def key_carrier(dataset: Dataset) -> Column:
    """The key column that makes records unique: the widest integer, or else the longest free text.

    Raises:
        ValueError: no column of the key can; names the data set.
    """
    columns = [column for column in dataset.columns if column.name in dataset.key]
    integers = [column for column in columns if column.parsed.kind == "integer"]
    if integers:
        return max(integers, key=lambda column: column.parsed.bits)
    texts = [column for column in columns if column.parsed.kind == "text" and not column.values and not column.faker]
    if texts:
        return max(texts, key=lambda column: column.parsed.length_bytes)
    raise ValueError(
        f"{dataset.name}: no column of the key ({', '.join(dataset.key)}) can be made unique: it takes an integer, or "
        "text without values and faker"
    )


def make_table(dataset: Dataset, *, seed: int, file_index: int, records: int, at: datetime) -> pa.Table:
    """The records of one file.

    Args:
        dataset: what to make; its `arrow_schema` is the table's.
        seed: of the whole run; seed, data set and file_index together decide every value.
        file_index: the file's number in the run; keys are unique over all of them.
        records: at most 2**20.
        at: when the file is due (UTC where it names no zone); versions lie in the minute before.

    Raises:
        ValueError: the key cannot be made unique, or its column is too narrow for this file.
    """
    if not 0 <= records <= MAX_RECORDS_PER_FILE:
        raise ValueError(f"{dataset.name}: {records} records a file; at most {MAX_RECORDS_PER_FILE} can be made")
    carrier = key_carrier(dataset)
    numbers = np.arange(records, dtype=np.int64) + file_index * MAX_RECORDS_PER_FILE
    at_us = _epoch_us(at)
    streams = np.random.SeedSequence([seed, *dataset.name.encode(), file_index]).spawn(len(dataset.columns))
    arrays = []
    for column, stream in zip(dataset.columns, streams, strict=True):
        rng = np.random.Generator(np.random.Philox(stream))
        if column is carrier:
            array = _keys(dataset, column, numbers)
        elif column.name == dataset.version:
            array = _versions(column, rng, records, at_us)
        else:
            array = _values(column, rng, records, at_us, seed)
            if column.name not in dataset.key:
                array = pc.if_else(pa.array(rng.random(records) < NULL_SHARE), pa.scalar(None, array.type), array)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=arrow_schema(dataset))


def _epoch_us(at: datetime) -> int:
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return round(aware.timestamp() * _MICROSECONDS)


def _keys(dataset: Dataset, column: Column, numbers: _Integers) -> pa.Array:
    parsed = column.parsed
    largest = int(numbers[-1]) if len(numbers) else 0
    if parsed.kind == "integer":
        if largest >= 2 ** (parsed.bits - 1):
            raise ValueError(
                f"{dataset.name}: key column {column.name!r} of type {column.type!r} is too narrow for the keys of "
                f"file {largest // MAX_RECORDS_PER_FILE}; make it bigint"
            )
        return pa.array((numbers + (KEY_64_BASE if parsed.bits == 64 else 0)).astype(f"int{parsed.bits}"))
    width = min(16, parsed.length_bytes)
    if largest >= 16**width:
        raise ValueError(
            f"{dataset.name}: key column {column.name!r} of type {column.type!r} is too short for the keys of "
            f"file {largest // MAX_RECORDS_PER_FILE}; 16 bytes are always enough"
        )
    return _fixed_width_hex(numbers, width)


def _fixed_width_hex(numbers: _Integers, width: int) -> pa.Array:
    shifts = np.arange(width - 1, -1, -1, dtype=np.int64) * 4
    digits = (numbers[:, np.newaxis] >> shifts) & 0xF
    characters = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[digits]
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(characters.tobytes()))


def _versions(column: Column, rng: np.random.Generator, records: int, at_us: int) -> pa.Array:
    versions_us = at_us - rng.integers(0, VERSION_SPREAD_US, records)
    match column.parsed.kind:
        case "timestamp":
            return pa.array(versions_us).cast(_timestamp_type(column))
        case "integer" if column.parsed.bits == 64:
            return pa.array(versions_us)
        case _:
            raise ValueError(
                f"version column {column.name!r} of type {column.type!r} cannot tell versions apart: make it "
                "timestamp, timestamptz or bigint"
            )


def _timestamp_type(column: Column) -> pa.DataType:
    return pa.timestamp("us", tz="UTC" if column.parsed.utc else None)


def _values(column: Column, rng: np.random.Generator, records: int, at_us: int, seed: int) -> pa.Array:
    match column.parsed.kind:
        case "integer":
            low, high = (int(bound) for bound in bounds(column))
            return pa.array(rng.integers(low, high, records, endpoint=True).astype(f"int{column.parsed.bits}"))
        case "float":
            low_value, high_value = bounds(column)
            return pa.array(
                (low_value + (high_value - low_value) * rng.random(records)).astype(f"f{column.parsed.bits // 8}")
            )
        case "decimal":
            return _decimals(column, rng, records)
        case "boolean":
            return pa.array(rng.random(records) < 0.5)
        case "date":
            days = at_us // _MICROSECONDS // _DAY_S - rng.integers(0, 365, records)
            return pa.array(days.astype(np.int32)).cast(pa.date32())
        case "timestamp":
            return pa.array(at_us - rng.integers(0, 365 * _DAY_S * _MICROSECONDS, records)).cast(
                _timestamp_type(column)
            )
        case "text":
            return _texts(column, rng, records, seed)


def _decimals(column: Column, rng: np.random.Generator, records: int) -> pa.Array:
    parsed = column.parsed
    low, high = bounds(column)
    unit, largest = 10**parsed.scale, min(10**parsed.precision, 2**63) - 1
    low_units, high_units = (max(-largest, min(largest, round(bound * unit))) for bound in (low, high))
    units = rng.integers(low_units, high_units, records, endpoint=True)
    # The units are the value of a decimal128: 16 bytes, little-endian, two's complement.
    words = np.empty((records, 2), dtype="<i8")
    words[:, 0], words[:, 1] = units, units >> 63
    decimal = pa.decimal128(parsed.precision, parsed.scale)
    return pa.Array.from_buffers(decimal, records, [None, pa.py_buffer(words.tobytes())])


def _texts(column: Column, rng: np.random.Generator, records: int, seed: int) -> pa.Array:
    words, awkward_count = vocabulary(column, seed)
    tidy_count = len(words) - awkward_count
    picks = rng.integers(0, tidy_count, records)
    if awkward_count:
        awkward = rng.random(records) < AWKWARD_SHARE
        picks[awkward] = tidy_count + rng.integers(0, awkward_count, int(awkward.sum()))
    return words.take(pa.array(picks))

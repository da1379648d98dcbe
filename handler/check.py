"""Does a file hold the columns its table expects?

In: names, or an Arrow table, and the expected schema. Out: the table in exactly that schema, or a FileError that names
every column that differs. Values are never bent to fit: only a type that holds the same kind of value is converted, and
only where no value changes.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import pyarrow as pa


class FileError(ValueError):
    """The file cannot be loaded as it is; the message says why."""


_KINDS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    lambda type_: pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_),
    pa.types.is_date,
    lambda type_: pa.types.is_timestamp(type_) and type_.tz is None,
    lambda type_: pa.types.is_timestamp(type_) and type_.tz is not None,
)


def names(found: Sequence[str], schema: pa.Schema) -> None:
    """Check that the names are the schema's, each once, in any order.

    Raises:
        FileError: it names the columns that are missing, unexpected or there more than once.
    """
    problems = {
        "missing": [name for name in schema.names if name not in found],
        "unexpected": [name for name in found if name not in schema.names],
        "more than once": [name for name, count in Counter(found).items() if count > 1],
    }
    _raise_if_any([f"{what}: {', '.join(columns)}" for what, columns in problems.items() if columns])


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the schema's columns, in its order and types.

    Raises:
        FileError: it names each column whose name or type differs, or that holds a value which does not fit.
    """
    names(table.column_names, schema)
    columns, problems = [], []
    for field in schema:
        try:
            columns.append(_as_type(table.column(field.name), field.type))
        except (ValueError, pa.ArrowException) as error:
            problems.append(f"{field.name}: {error}")
    _raise_if_any(problems)
    conformed = pa.table(columns, schema=schema)
    try:
        # Neither Parquet's nor JSON's reader looks whether text is valid UTF-8; Redshift would.
        conformed.validate(full=True)
    except pa.ArrowException as error:
        raise FileError(f"invalid text: {error}") from error
    return conformed


def _as_type(column: pa.ChunkedArray, expected: pa.DataType) -> pa.ChunkedArray:
    found = column.type
    if found == expected:
        return column
    if pa.types.is_dictionary(found):
        return _as_type(column.cast(found.value_type), expected)
    if pa.types.is_null(found) or any(kind(found) and kind(expected) for kind in _KINDS):
        return column.cast(expected, safe=True)
    raise ValueError(f"{found} where {expected} is expected")


def _raise_if_any(problems: list[str]) -> None:
    if problems:
        raise FileError(f"columns differ: {'; '.join(problems)}")

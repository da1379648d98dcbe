"""JSON text to fields: 'auto', 'auto ignorecase' and jsonpaths.

In: a file's text, a run of JSON values with any white space between them. Out: as `harness.redshift.copy.delimited`.
Source: Database Developer Guide, "COPY from JSON format".
"""

import json
import re
from collections.abc import Callable, Sequence

from harness.redshift.copy.columns import Column
from harness.redshift.copy.options import Copy
from harness.redshift.copy.values import BadValue
from harness.redshift.messages import Refusal

Found = tuple[list[Sequence[str | None]], list[int], list[str], list[tuple[int, str, BadValue]]]
_STEP = re.compile(r"""\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]|\.?([^.\[\]]+)""")


class Number(str):
    """A number as it was written, so that nothing is lost on its way to the column."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=Number)
_SPACE = re.compile(r"\s*")


def rows(text: str, columns: list[Column], copy: Copy, paths: list[str] | None) -> Found:
    """Split a file into fields."""
    pick = _by_paths(paths) if paths else _by_names(columns, ignore_case="ignorecase" in copy.text("PATHS", "auto"))
    fields: list[list[str | None]] = []
    lines: list[int] = []
    raws: list[str] = []
    bad: list[tuple[int, str, BadValue]] = []
    at, line = 0, 1
    while at < len(text):
        start = _end_of_space(text, at)
        line += text.count("\n", at, start)
        if start == len(text):
            break
        try:
            value, at = _DECODER.raw_decode(text, start)
        except ValueError as error:
            at = _next_line(text, start)
            bad.append(
                (line, text[start:at].rstrip("\n"), BadValue(1214, f"Invalid JSON format. {error}".split(":")[0]))
            )
            line += text.count("\n", start, at)
            continue
        if isinstance(value, dict) or paths:
            fields.append([_as_field(item, column) for item, column in zip(pick(value), columns, strict=True)])
            lines.append(line)
            raws.append(text[start:at])
        else:
            bad.append((line, text[start:at], BadValue(1214, "Invalid JSON format. The record is not an object")))
        line += text.count("\n", start, at)
    by_column: list[Sequence[str | None]] = list(zip(*fields, strict=True)) if fields else [[] for _ in columns]
    return by_column, lines, raws, bad


def _end_of_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _as_field(value: object, column: Column) -> str | None:
    if value is None:
        return None
    if column.kind == "jsonb":
        return dump(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return dump(value)


def dump(value: object) -> str:
    """JSON text again, numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{dump(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _by_names(columns: list[Column], *, ignore_case: bool) -> Callable[[dict[str, object]], list[object]]:
    names = [column.name for column in columns]
    if not ignore_case:
        return lambda record: [record.get(name) for name in names]
    lowered = [name.lower() for name in names]

    def pick(record: dict[str, object]) -> list[object]:
        folded = {key.lower(): value for key, value in record.items()}
        return [folded.get(name) for name in lowered]

    return pick


def read_paths(content: bytes, count: int) -> list[str]:
    """The expressions of a jsonpaths file, one a column.

    Raises:
        Refusal: it is none, or their number is not the columns'.
    """
    try:
        paths = json.loads(content)["jsonpaths"]
    except (ValueError, KeyError, TypeError):
        raise Refusal("XX000", "Invalid JSONPath format: jsonpaths is not a list of expressions") from None
    if len(paths) != count:
        raise Refusal("XX000", "Number of jsonpaths and the number of columns should match.")
    return [str(path) for path in paths]


def _by_paths(paths: list[str]) -> Callable[[object], list[object]]:
    steps = [_steps(path) for path in paths]
    return lambda record: [_walk(record, path) for path in steps]


def _steps(path: str) -> list[str | int]:
    if not path.startswith("$"):
        raise Refusal("XX000", f"Invalid JSONPath format: {path}")
    found = _STEP.findall(path[1:])
    return [int(index) if index else single or double or name for single, double, index, name in found]


def _walk(value: object, path: list[str | int]) -> object:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value

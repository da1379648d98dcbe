"""CSV, delimited and fixed-width text to fields.

In: a file's text. Out: per column its fields (None is NULL), per row its line and raw text, and what did not split.
Source: Database Developer Guide, "Data format parameters": CSV, DELIMITER, FIXEDWIDTH, ESCAPE, REMOVEQUOTES.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from harness.redshift.copy.columns import Column
from harness.redshift.copy.options import Copy
from harness.redshift.copy.values import BadValue
from harness.redshift.messages import Refusal

Found = tuple[list[Sequence[str | None]], list[int], list[str], list[tuple[int, str, BadValue]]]
Line = tuple[int, list[str], str]
NULL_DEFAULT = "\\N"
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


def rows(text: str, columns: list[Column], copy: Copy) -> Found:
    """Split a file into fields."""
    skip = copy.number("IGNOREHEADER")
    width = len(columns)
    kept: list[list[str]] = []
    lines: list[int] = []
    raws: list[str] = []
    bad: list[tuple[int, str, BadValue]] = []
    for line, fields, raw in _lines(text, columns, copy):
        if line <= skip or (not raw and ("IGNOREBLANKLINES" in copy.options or width > 1)):
            continue
        if len(fields) != width:
            problem = _width_problem(fields, width, copy)
            if problem:
                bad.append((line, raw, problem))
                continue
            fields = fields[:width] + [""] * (width - len(fields))
        kept.append(fields)
        lines.append(line)
        raws.append(raw)
    by_column: list[Sequence[str | None]] = list(zip(*kept, strict=True)) if kept else [[] for _ in columns]
    null = copy.text("NULL", NULL_DEFAULT)
    nulls = [
        [None if field == null else field for field in fields] if null in fields else fields for fields in by_column
    ]
    return nulls, lines, raws, bad


def _width_problem(fields: list[str], width: int, copy: Copy) -> BadValue | None:
    if len(fields) > width:
        if len(fields) == width + 1 and not fields[-1] and copy.format != "CSV":
            return None  # a delimiter at the end of the line
        return BadValue(1202, "Extra column(s) found")
    if "FILLRECORD" in copy.options:
        return None
    return BadValue(1201, "Delimiter not found") if copy.format != "CSV" else BadValue(1203, "Missing columns")


def _lines(text: str, columns: list[Column], copy: Copy) -> Iterator[Line]:
    if copy.format == "CSV":
        return _csv(text, copy)
    if "FIXEDWIDTH" in copy.options:
        return _fixed_width(text, columns, copy)
    return _delimited(text, copy)


def _csv(text: str, copy: Copy) -> Iterator[Line]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=_unescape(copy.text("DELIMITER", ",")),
        quotechar=copy.text("QUOTE", '"'),
    )
    lines, before = text.split("\n"), 0
    for fields in reader:
        yield before + 1, fields, "\n".join(lines[before : reader.line_num]).rstrip("\r")
        before = reader.line_num


def _fixed_width(text: str, columns: list[Column], copy: Copy) -> Iterator[Line]:
    widths = fixed_widths(copy.text("FIXEDWIDTH", ""), len(columns))
    for line, raw in enumerate(_text_lines(text), 1):
        at, fields = 0, []
        for width in widths:
            fields.append(raw[at : at + width].strip(" "))
            at += width
        yield line, fields, raw


def fixed_widths(specification: str, count: int) -> list[int]:
    """The widths in 'label:width,…': they go by position, the labels mean nothing ("FIXEDWIDTH").

    Raises:
        Refusal: it is no such list, or not one of `count` columns.
    """
    widths = [part.rpartition(":")[2].strip() for part in specification.split(",")]
    if len(widths) != count or not all(width.isdecimal() and int(width) for width in widths):
        raise Refusal("22023", f"Invalid fixedwidth specification '{specification}' for {count} columns")
    return [int(width) for width in widths]


def _delimited(text: str, copy: Copy) -> Iterator[Line]:
    delimiter = _unescape(copy.text("DELIMITER", "|"))
    if "ESCAPE" in copy.options:
        yield from _escaped(text, delimiter)
        return
    for line, raw in enumerate(_text_lines(text), 1):
        yield line, _quoted_split(raw, delimiter) if "REMOVEQUOTES" in copy.options else raw.split(delimiter), raw


def _text_lines(text: str) -> list[str]:
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _unescape(delimiter: str) -> str:
    """A delimiter as it stands in the data: \\t is a tab, \\ddd an octal code."""
    if octal := _OCTAL.fullmatch(delimiter):
        return chr(int(octal[1], 8))
    return "\t" if delimiter == "\\t" else delimiter


def _quoted_split(raw: str, delimiter: str) -> list[str]:
    fields, at = [], 0
    while True:
        if raw[at : at + 1] in ('"', "'") and (end := raw.find(raw[at], at + 1)) > 0:
            fields.append(raw[at + 1 : end])
            at = end + 1
        else:
            end = raw.find(delimiter, at)
            fields.append(raw[at:] if end < 0 else raw[at:end])
            at = len(raw) if end < 0 else end
        if at >= len(raw):
            return fields
        at += len(delimiter)
        if at == len(raw):
            return [*fields, ""]


def _escaped(text: str, delimiter: str) -> Iterator[Line]:
    """The backslash takes the next character literally; an escaped line end stays in the field."""
    line, start_line, start, field = 1, 1, 0, ""
    fields: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            following = text[at + 1]
            field += "\\N" if following == "N" else following
            line += following == "\n"
            at += 2
            continue
        if character == "\n":
            yield start_line, [*fields, field], text[start:at]
            line += 1
            fields, field, start_line, start = [], "", line, at + 1
        elif text.startswith(delimiter, at):
            fields.append(field)
            field = ""
            at += len(delimiter)
            continue
        else:
            field += character
        at += 1
    if field or fields:
        yield start_line, [*fields, field], text[start:]

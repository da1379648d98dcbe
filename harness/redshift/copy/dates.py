"""Dates and timestamps as COPY reads them.

In: DATEFORMAT and TIMEFORMAT. Out: functions from a field to a `date` or `datetime`, raising ValueError with the reason
that STL_LOAD_ERRORS shows. Source: Database Developer Guide, "DATEFORMAT and TIMEFORMAT strings".
"""

import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache

from dateutil import parser as automatic  # type: ignore[import-untyped]

DATE_DEFAULT = "YYYY-MM-DD"
TIME_DEFAULT = "YYYY-MM-DD HH:MI:SS"
_PARTS = (
    ("YYYY", r"(?P<year>\d{4})"), ("YY", r"(?P<short_year>\d{2})"), ("MONTH", r"(?P<month_name>[A-Za-z]+)"),
    ("MON", r"(?P<month_name>[A-Za-z]{3})"), ("MM", r"(?P<month>\d{1,2})"), ("DDD", r"(?P<yearday>\d{1,3})"),
    ("DD", r"(?P<day>\d{1,2})"), ("HH24", r"(?P<hour>\d{1,2})"), ("HH12", r"(?P<hour>\d{1,2})"),
    ("HH", r"(?P<hour>\d{1,2})"), ("MI", r"(?P<minute>\d{1,2})"),
    ("SS", r"(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?"),
    ("AM", r"(?P<half>[AaPp][Mm])"), ("PM", r"(?P<half>[AaPp][Mm])"), ("OF", r"(?P<offset>[+-]\d{2}(?::?\d{2})?)"),
    ("TZ", r"(?P<zone>[A-Za-z/_]+)"), ("T", "T"),
)  # fmt: skip
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
_EPOCH = {"epochsecs": 1_000_000, "epochmillisecs": 1_000}
_START = dt.datetime(1970, 1, 1)


@lru_cache(maxsize=64)
def _pattern(date_format: str) -> re.Pattern[str]:
    pattern, at, upper = "", 0, date_format.upper()
    while at < len(upper):
        for name, part in _PARTS:
            if upper.startswith(name, at):
                pattern += part
                at += len(name)
                break
        else:
            pattern += re.escape(upper[at])
            at += 1
    return re.compile(pattern + r"\Z")


def _read(field: str, date_format: str, what: str) -> dt.datetime:
    match = _pattern(date_format).match(field)
    if not match:
        raise ValueError(f"Invalid {what} Format - length must be 10 or more" if len(field) < 8
                         else f"Invalid {what.lower()} format or value [{date_format}]")  # fmt: skip
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    year = int(found.get("year", 0)) or _full_year(int(found.get("short_year", 70)))
    month = int(found["month"]) if "month" in found else _MONTHS.get(found.get("month_name", "jan")[:3].lower(), 1)
    hour = int(found.get("hour", 0))
    if "half" in found:
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    value = dt.datetime(
        year, month, int(found.get("day", 1)), hour, int(found.get("minute", 0)), int(found.get("second", 0)),
        int(found.get("fraction", "0").ljust(6, "0")),
    )  # fmt: skip
    if "yearday" in found:
        value += dt.timedelta(days=int(found["yearday"]) - 1)
    if "offset" in found:
        value = value.replace(tzinfo=dt.timezone(_offset(found["offset"])))
    return value


def _full_year(short: int) -> int:
    return short + (2000 if short < 70 else 1900)


def _offset(text: str) -> dt.timedelta:
    hours, minutes = int(text[1:3]), int(text[3:].strip(":") or 0)
    return dt.timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def _automatic(field: str) -> dt.datetime:
    value: dt.datetime = automatic.parse(field)
    return value


def date_parser(date_format: str) -> Callable[[str], dt.date]:
    """DATEFORMAT: empty for the default, `auto`, or a format string."""
    if not date_format:
        return _default_date
    if date_format.lower() == "auto":
        return lambda field: _automatic(field).date()
    return lambda field: _read(field, date_format, "Date").date()


def _default_date(field: str) -> dt.date:
    try:
        return dt.date.fromisoformat(field[:10])
    except ValueError:
        return _read(field, DATE_DEFAULT, "Date").date()


def timestamp_parser(time_format: str, *, zoned: bool) -> Callable[[str], dt.datetime]:
    """TIMEFORMAT: empty for the default, `auto`, `epochsecs`, `epochmillisecs`, or a format string."""
    lowered = time_format.lower()

    def parse(field: str) -> dt.datetime:
        if lowered in _EPOCH:
            value = _START + dt.timedelta(microseconds=round(float(field) * _EPOCH[lowered]))
        elif lowered == "auto":
            value = _automatic(field)
        elif not time_format:
            value = _default_timestamp(field)
        else:
            value = _read(field, time_format, "Timestamp")
        return _with_zone(value, zoned=zoned)

    return parse


def _default_timestamp(field: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(field)
    except ValueError:
        return _read(field, TIME_DEFAULT, "Timestamp")


def _with_zone(value: dt.datetime, *, zoned: bool) -> dt.datetime:
    if zoned:
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return value.replace(tzinfo=None)

"""Rates and durations as people type them: `100/min`, `5m`, `1h30m`, `90s`."""

import re

import click

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PER_MIN = {"s": 60.0, "sec": 60.0, "min": 1.0, "m": 1.0, "h": 1 / 60, "hour": 1 / 60}


class Duration(click.ParamType[float]):
    """Seconds as a float; a bare number is seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float | int):
            return float(value)
        text = str(value).strip()
        parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", text)
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
        if re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
        elif "".join(number + unit for number, unit in parts) != text:
            self.fail(f"{text!r} is not a duration such as 90s, 5m or 1h30m", param, ctx)
        if not 0 < seconds < float("inf"):
            self.fail(f"{text!r} is not longer than nothing", param, ctx)
        return seconds


class Rate(click.ParamType[float]):
    """Files a minute as a float; a bare number is files a minute."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float | int):
            return float(value)
        text = str(value).strip()
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/(s|sec|min|m|h|hour))?", text)
        if not match or float(match[1]) == 0:
            self.fail(f"{text!r} is not a rate of files such as 100/min, 10/s or 3000/h", param, ctx)
        return float(match[1]) * _PER_MIN[match[2] or "min"]

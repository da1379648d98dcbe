"""How a report writes figures: durations, counts, shares, and text that came from outside.

In: values. Out: short strings for people. Escaping for HTML, Markdown or XML is the business of who writes those.
"""

import ast
import re
from collections.abc import Iterable, Sequence


def seconds(value: float | None) -> str:
    """A duration with the digits that matter: `8.4 ms`, `640 ms`, `18.2 s`, `12 min 5 s`; a dash for none."""
    if value is None:
        return "–"
    if value < 0.01:
        return f"{value * 1000:.1f}".removesuffix(".0") + " ms"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def count(value: float | None) -> str:
    """A whole number with thousands apart; a dash for none."""
    return "–" if value is None else f"{value:,.0f}"


def several(number: int, noun: str) -> str:
    """`1 file`, `12 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def of_several(number: float, noun: str) -> str:
    """The same for figures of a chart, which may be fractions."""
    return f"{number:,.0f} {noun}{'' if round(number) == 1 else 's'}"


def percent(share: float) -> str:
    """A share of one as per cent, never rounded up to all."""
    return f"{min(share, 0.999) * 100:.0f} %" if share < 1 else "100 %"


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def legible(text: str) -> str:
    """An error for people: of a database driver's fields, printed as a dict, the message, its context and code."""
    try:
        fields = ast.literal_eval(text) if text.startswith("{'S': ") else {}
    except (ValueError, SyntaxError):
        fields = {}
    if not isinstance(fields, dict) or "M" not in fields:
        return text
    context = re.search(r"^ *context: *(.+?) *$", str(fields.get("D", "")), re.MULTILINE)
    return f"{fields['M']}{f': {context[1]}' if context else ''} [{fields.get('C', '')}]"


def writable(text: str) -> str:
    """The text with what UTF-8 cannot hold (half a surrogate pair, as in a strange file name) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    """Text from outside as one line, control characters spelled out."""
    return "".join(_visible(text))


def _visible(text: str) -> Iterable[str]:
    for char in text:
        if char in "\n\r\t":
            yield " "
        elif char.isprintable():
            yield char
        else:
            yield f"\\u{ord(char):04x}" if ord(char) > 0xFF else f"\\x{ord(char):02x}"

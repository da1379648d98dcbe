"""How often each function of a chain of requests has been invoked: the Lineage of X-Ray's trace header.

In: trace headers (`Root=…;Parent=…;Lineage=…`), which SDKs of functions pass on with what they send. Out: counts by
function. Pure. That Lambda counts in the trace header is documented ("Use Lambda recursive loop detection to prevent
infinite loops"); how is not. Headers that people have logged on AWS end in `Lineage=1:fe460cdd:0` (2024 to 2026; in
2023 without the `1:`), and OpenTelemetry's propagators for X-Ray are tested with `Lineage=a87bd80c:1|68fd508a:5`: eight
hexadecimal digits for a function, and how often it was invoked before. What the digits are made of is a model.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping

_LINEAGE = re.compile(r"(?:^|;)\s*Lineage=([^;]*)")
_ENTRY = re.compile(r"([0-9a-f]{8}):(\d{1,6})")
_VERSION = "1:"
FUNCTIONS_MAX = 8
"""Of how many functions a header tells, so that it does not grow with the chain; the least invoked go (a model)."""

Counts = Mapping[str, int]


def key(function_arn: str) -> str:
    """What stands for a function in a header; its ARN without a qualifier."""
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]


def read(lineage: str | None) -> Counts:
    """The counts in the text of a Lineage; none where it is not as it should be."""
    return {name: int(times) for name, times in _ENTRY.findall((lineage or "").removeprefix(_VERSION))}


def of_headers(headers: Iterable[str | None]) -> Counts:
    """Of several chains that meet in one invocation, the highest count of each function."""
    counts: dict[str, int] = {}
    for header in headers:
        if header and (found := _LINEAGE.search(header)):
            for name, times in read(found[1]).items():
                counts[name] = max(times, counts.get(name, 0))
    return counts


def with_one_more(counts: Counts, function_arn: str) -> Counts:
    """The counts of an invocation of this function: 0 if it is the first of its chain."""
    name = key(function_arn)
    return {**counts, name: counts.get(name, -1) + 1}


def write(counts: Counts) -> str:
    """The text of a Lineage, the most invoked first."""
    most = sorted(counts.items(), key=lambda item: -item[1])[:FUNCTIONS_MAX]
    return _VERSION + "|".join(f"{name}:{times}" for name, times in most)

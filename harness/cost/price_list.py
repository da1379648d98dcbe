"""Prices of AWS services: one dated file, and what a user puts over it.

In: `prices/aws.toml` and perhaps a file of the user's. Out: `Prices` of one region. A price that is not known is an
error when it is asked for, never 0.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeGuard

from harness.errors import UsageError

OWN_FILE = "aws.toml"
NOT_REGIONS = ("source", "free_each_month")


@dataclass(frozen=True)
class Price:
    """`usd` for `per` units, as it was on `date` (ISO, or empty) according to `source`."""

    usd: float
    per: float = 1.0
    date: str = ""
    source: str = ""

    def amount_usd(self, quantity: float) -> float:
        """What this many units cost."""
        return quantity / self.per * self.usd


@dataclass(frozen=True)
class Prices:
    """The prices of a region, and what is free each month."""

    region: str
    known: dict[str, Price]
    free_each_month: dict[str, float]

    def __getitem__(self, key: str) -> Price:
        """The price of `key`.

        Raises:
            UsageError: it is not known for this region.
        """
        if key not in self.known:
            raise UsageError(
                f"there is no price for {key} in {self.region}: give one with --prices, a TOML file such as\n"
                f'[{self.region}]\n"{key}" = 1.23'
            )
        return self.known[key]


def load(region: str, override: Path | None = None) -> Prices:
    """The prices of a region; those of `override` win.

    Raises:
        UsageError: the file cannot be read, a price in it is none, or nothing is known of the region.
    """
    own = tomllib.loads((files("harness.cost") / "prices" / OWN_FILE).read_text(encoding="utf-8"))
    sources: dict[str, str] = own["source"]
    found = {key: _price(region, key, value, sources, OWN_FILE) for key, value in own.get(region, {}).items()}
    free: dict[str, float] = dict(own["free_each_month"])
    if override is not None:
        given = _read(override)
        theirs = given.get("source", {})
        found |= {
            key: _price(region, key, value, theirs, str(override)) for key, value in given.get(region, {}).items()
        }
        free |= given.get("free_each_month", {})
    if not found:
        known = ", ".join(name for name in own if name not in NOT_REGIONS)
        raise UsageError(f"--region {region}: no prices are known for it (known: {known}); --prices FILE gives some")
    return Prices(region, found, free)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--prices {path}: {error}") from error


def _price(region: str, key: str, value: Any, sources: dict[str, str], file: str) -> Price:
    raw = value if isinstance(value, dict) else {"usd": value}
    usd, per = raw.get("usd"), raw.get("per", 1)
    if not _is_amount(usd) or not _is_amount(per) or per == 0:
        raise UsageError(f"{file}: {region}.{key}: {value!r} is not a price such as 0.4 or {{ usd = 0.4, per = 1000 }}")
    day = raw.get("date", "")
    source = str(raw.get("source", file))
    return Price(float(usd), float(per), day.isoformat() if isinstance(day, date) else str(day),
                 sources.get(source, source))  # fmt: skip


def _is_amount(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")

"""A bill: lines of quantity × price = amount.

In: quantities, with prices. Out: `Line`s and their sum. Knows no design and no service.
"""

from dataclasses import dataclass, replace

from harness.cost.price_list import Price, Prices

DAYS_PER_MONTH = 365 / 12


@dataclass(frozen=True)
class Line:
    """One line. `shared`: any design that loads the same files into the same warehouse has it too."""

    service: str
    what: str
    quantity: float
    unit: str
    price: Price
    how: str
    key: str
    shared: bool = False

    @property
    def amount_usd(self) -> float:
        return self.price.amount_usd(self.quantity)


@dataclass(frozen=True)
class Bill:
    """What a design costs in `days`."""

    design: str
    region: str
    days: float
    lines: tuple[Line, ...]

    @property
    def total_usd(self) -> float:
        return sum(line.amount_usd for line in self.lines)

    @property
    def own_usd(self) -> float:
        """Without what every design would have: landing, storage and the warehouse."""
        return sum(line.amount_usd for line in self.lines if not line.shared)

    def of(self, service: str) -> float:
        """What one service costs."""
        return sum(line.amount_usd for line in self.lines if line.service == service)

    def by_service(self) -> dict[str, float]:
        """Services with what they cost, the dearest first."""
        found = {line.service: self.of(line.service) for line in self.lines}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def after_free_tier(self, prices: Prices) -> "Bill":
        """The bill of an account that has each month's free quantities, and uses them for nothing else."""
        left = {key: free * self.days / DAYS_PER_MONTH for key, free in prices.free_each_month.items()}
        lines = []
        for line in self.lines:
            free = min(line.quantity, left.get(line.key, 0.0))
            if line.key in left:
                left[line.key] -= free
            how = f"{line.how}; {free:,.0f} free" if free else line.how
            lines.append(replace(line, quantity=line.quantity - free, how=how))
        return replace(self, lines=tuple(lines))

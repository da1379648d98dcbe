"""Bills in words: amounts, prices, lines as people and scripts read them.

In: bills. Out: short strings and JSON values.
"""

from dataclasses import asdict
from typing import Any

from harness.cost.bill import Bill, Line
from harness.cost.comparison import PUBLISHED_RATIO, Comparison, Variant
from harness.cost.price_list import Price

MODEL = "A model: list prices × quantities, no bill of AWS; what is measured here was measured on this machine."


def usd(amount: float) -> str:
    """`$1,234.50`, `$0.0042`."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.2g}" if amount < 0.01 else f"${amount:.3f}"


def quantity(value: float) -> str:
    """With the digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def price(line: Line) -> str:
    """`$0.40 per 1,000,000 requests`."""
    amount = f"{line.price.usd:.10f}".rstrip("0").rstrip(".")
    per = "" if line.price.per == 1 else f"{line.price.per:,.0f} "
    return f"${amount} per {per}{line.unit.removesuffix('s') if not per and line.unit != 'GB-s' else line.unit}"


def line_json(line: Line) -> dict[str, Any]:
    """One line for scripts."""
    return {
        "service": line.service, "what": line.what, "quantity": line.quantity, "unit": line.unit,
        "price": asdict(line.price), "amount_usd": line.amount_usd, "how": line.how, "shared": line.shared,
    }  # fmt: skip


def bill_json(bill: Bill) -> dict[str, Any]:
    """One bill for scripts."""
    return {
        "design": bill.design, "region": bill.region, "days": bill.days, "total_usd": bill.total_usd,
        "own_usd": bill.own_usd, "by_service_usd": bill.by_service(), "lines": [line_json(line) for line in bill.lines],
    }  # fmt: skip


def comparison_json(found: Comparison) -> dict[str, Any]:
    """The two designs for scripts."""
    return {
        "published_ratio": PUBLISHED_RATIO, "own_ratio": found.own_ratio, "whole_ratio": found.whole_ratio,
        "old_run_minutes_for_published_ratio": found.old_minutes_for_tenth,
        "function_s_for_published_ratio": found.function_s_for_tenth,
    }  # fmt: skip


def variant_json(found: Variant) -> dict[str, Any]:
    """One setting for scripts."""
    return {key: value for key, value in asdict(found).items() if value is not None}


def dated(found: Price) -> str:
    """Where a price is from."""
    return f"{found.source}, {found.date}" if found.date else found.source

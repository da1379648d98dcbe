"""What a run's load would cost, in a few figures: for the verdict, the report and comparisons.

In: the evidence of a run. Out: a `RunCost`, or None where the run cannot be priced. A model, of the first region's list
prices; `harness cost RUN` takes others.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.checks import Evidence
from harness.cost import event_driven, price_list
from harness.cost.bill import Bill
from harness.cost.event_driven import Setup
from harness.cost.load import Load
from harness.cost.measured import load_of
from harness.cost.price_list import Prices
from harness.errors import UsageError

REGION = "us-east-1"


@dataclass(frozen=True)
class RunCost:
    """A day at the run's own rate and the production merge interval."""

    load: Load
    day: Bill

    @property
    def usd_per_1000_files(self) -> float:
        """Without landing and the warehouse, which cost what they cost whatever the handler does."""
        return self.day.own_usd / self.load.files_per_day * 1_000

    @property
    def usd_per_million_records(self) -> float:
        """The same, for the records."""
        return self.usd_per_1000_files / 1_000 / self.load.records_per_file * 1e6

    def to_json(self) -> dict[str, Any]:
        """As `verdict.json` holds it."""
        return {
            "model": f"list prices of {REGION}, no bill",
            "usd_per_1000_files": round(self.usd_per_1000_files, 6),
            "usd_per_million_records": round(self.usd_per_million_records, 6),
            "usd_per_day": {name: round(amount, 4) for name, amount in self.day.by_service().items()},
        }


@cache
def _prices() -> Prices:
    return price_list.load(REGION)


def cost_of(evidence: Evidence) -> RunCost | None:
    """None when nothing was loaded, or when the run does not say how much memory its functions had."""
    try:
        load = load_of(evidence)
    except UsageError:
        return None
    return RunCost(load, event_driven.bill(load, Setup(), _prices(), 1.0))

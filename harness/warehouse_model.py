"""Telling the Redshift stand-in how slow to pretend to be: a model of time, never a measurement.

In: a stack and the figures of `[warehouse.model]`. Out: the gateway's settings, for every session from now on. A fault
that makes the warehouse slow for a while applies another model, and the pipeline's own again to heal.
"""

from harness import sql
from harness.pipeline import WarehouseModel
from harness.stack.endpoints import Endpoints


def apply(model: WarehouseModel, endpoints: Endpoints) -> None:
    """Set every figure of the model; those that the pipeline does not name are 0, which is off.

    Raises:
        HarnessError: the gateway cannot be reached.
    """
    with sql.warehouse(endpoints, "nrt-model") as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for name, value in model.model_dump().items():
            cursor.execute(f"ALTER SYSTEM SET model.{name} = {value:.12g}")


def in_words(model: WarehouseModel) -> str | None:
    """What the model says, in a line for people; None when it says nothing."""
    said = {name: value for name, value in model.model_dump(exclude_defaults=True).items() if name != "seed"}
    figures = ", ".join(f"{name} {value:g}" for name, value in said.items())
    return f"{figures} (seed {model.seed}): a model, not a measurement" if said else None

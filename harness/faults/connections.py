"""The warehouse takes only so many connections: as many as functions may run at once, and a few for others.

A function that keeps one connection for the life of its execution environment stays below that; one that opens a new
one for each file and closes none is refused in the end (Amazon Redshift Management Guide, "Quotas and limits": 500
connections on the smallest nodes, 2,000 on the largest).
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass

from harness import sql, warehouse_model
from harness.errors import HarnessError, UsageError
from harness.faults.site import Site


@dataclass(frozen=True)
class ConnectionLimit:
    """`spare` is for the merge job and whoever else connects now and then."""

    spare: int = 3

    @property
    def name(self) -> str:
        return "the warehouse takes no more connections than functions may run at once"

    def limit(self, site: Site) -> int:
        """How many sessions there may be.

        Raises:
            UsageError: there is no limit to the functions either.
        """
        limits = [site.pipeline.queue_of(name).maximum_concurrency for name in site.pipeline.types]
        if None in limits:
            raise UsageError("queue.maximum_concurrency: without it there can be 1,250 functions of each type at once")
        return sum(limit or 0 for limit in limits) + self.spare

    def inject(self, site: Site) -> Callable[[], str | None]:
        own, limit = site.pipeline.warehouse.model, self.limit(site)
        warehouse_model.apply(own.model_copy(update={"max_connections": limit}), site.aws.endpoints)
        # Before the load: whoever is refused now is nobody of the pipeline.
        refused = _one_is_refused(site, limit)

        def heal() -> str | None:
            site.wait_until_handled()
            warehouse_model.apply(own, site.aws.endpoints)
            return f"a connection beyond {limit} was refused" if refused else None

        return heal


def _one_is_refused(site: Site, limit: int) -> bool:
    """Open one connection more than there may be, and close them all."""
    with ExitStack() as opened:
        for _ in range(limit + 1):
            try:
                opened.enter_context(closing(sql.connect(site.aws.endpoints.redshift, "nrt-fault")))
            except HarnessError:
                return True
    return False

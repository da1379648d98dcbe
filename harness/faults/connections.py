"""The warehouse takes only so many connections: as many as functions may run at once, and a few for others.

Amazon Redshift Database Developer Guide, ALTER USER: CONNECTION LIMIT. A function that keeps one connection for the
life of its execution environment stays below it; one that opens a new one for each file and closes none does not.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass

from harness import sql
from harness.errors import HarnessError, UsageError
from harness.faults.site import Site

# Sessions that have ended may be there for a moment still.
SETTLE_S = 5.0
LOOK_EVERY_S = 0.1


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
        limit = self.limit(site)
        _limit_to(site, limit)
        refused = _is_refused_beyond(site, limit)

        def heal() -> str | None:
            site.wait_until_handled()
            held = _sessions(site)
            _limit_to(site, -1)
            return f"the connection after {limit} was refused; {held} were open at the end" if refused else None

        return heal


def _limit_to(site: Site, limit: int) -> None:
    with sql.backend(site.aws.endpoints, "nrt-fault") as connection, connection.cursor() as cursor:
        cursor.execute(f'ALTER ROLE "{site.aws.endpoints.redshift.user}" CONNECTION LIMIT {limit}')
        connection.commit()


def _sessions(site: Site) -> int:
    with sql.backend(site.aws.endpoints, "nrt-fault") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (site.aws.endpoints.redshift.user,))
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def _is_refused_beyond(site: Site, limit: int) -> bool:
    """Open connections until one is refused, and close them again before anybody else needs one."""
    with ExitStack() as opened:
        refused = False
        for _ in range(limit + 1):
            try:
                opened.enter_context(closing(sql.connect(site.aws.endpoints.redshift, "nrt-fault")))
            except HarnessError:
                refused = True
                break
    give_up_s = time.monotonic() + SETTLE_S
    while _sessions(site) and time.monotonic() < give_up_s:
        time.sleep(LOOK_EVERY_S)
    return refused

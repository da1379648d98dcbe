"""What one session's statements wait for: their tables' locks, a slot where their number is limited, a commit's time.

In: plans, before they run. Out: the moment at which each may go on. A statement's locks come before its slot: who has
a slot never waits for somebody's lock who waits for a slot. Knows nothing of protocols.
"""

import asyncio
import time

from harness.redshift.backend import Backend
from harness.redshift.cancelling import Cancellable
from harness.redshift.locks import WriteLocks
from harness.redshift.plan import Plan
from harness.redshift.querylog import QueryLog, Record
from harness.redshift.workload import Workload

LOST = "the connection was lost"
_UNQUEUED = frozenset(("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SET", "SHOW", "RESET", "ALTER SYSTEM"))


class Turns:
    """The waits of one session. wrote: whether its transaction did so far."""

    def __init__(self, backend: Backend, workload: Workload, log: QueryLog, own_work: Cancellable) -> None:
        self._backend, self._workload, self._log, self._own_work = backend, workload, log, own_work
        self.locks = WriteLocks(backend)
        self.wrote = False

    def queues(self, plan: Plan) -> bool:
        """Whether a statement needs a slot, as their number is limited (WLM)."""
        return bool(self._workload.slots.limit) and plan.kind not in _UNQUEUED and plan.refusal is None

    async def wait(self, plan: Plan, record: Record) -> bool:
        """Wait for a slot, if the statement needs one; False if it is not to run, which the client then knows.

        Raises:
            Refusal: the client asked to cancel it.
        """
        if not self.queues(plan):
            return True
        await self.locks.held()
        if self._backend.queue.failed_until_sync:
            self._log.end(record, error="an earlier statement of the pipeline failed, or its lock could not be had")
            return False
        began_s = time.monotonic()
        try:
            await self._own_work.run(self._workload.slots.acquire())
        except asyncio.CancelledError:
            self._log.end(record, error=LOST)
            raise
        finally:
            record.queued_s = time.monotonic() - began_s
        self._log.when_ended(record, self._workload.slots.release)
        return True

    async def hold_copy(self, plan: Plan) -> None:
        """The latency model's time for a COPY before it takes its lock."""
        if plan.copy is not None:
            await self._workload.latency.hold_queued_copy()

    async def hold_commit(self, plan: Plan) -> None:
        """The latency model's time for a commit, if this ends a transaction that wrote."""
        if plan.transaction == "end":
            if self.wrote and plan.kind in ("COMMIT", "END"):
                await self._workload.latency.hold_commit()
            self.wrote = False

    async def hold_own_commit(self) -> None:
        """The same where the gateway itself is about to commit."""
        if self.wrote:
            await self._workload.latency.hold_commit()

"""The statements that the gateway runs itself because they move data between the backend and S3."""

import asyncio
from dataclasses import dataclass

from harness.redshift.backend import Backend
from harness.redshift.copy.load import Loaded, Loader
from harness.redshift.copy.unload import Unloader
from harness.redshift.latency import Latency
from harness.redshift.plan import Plan
from harness.redshift.querylog import Record
from harness.redshift.recorder import LoadRecorder


@dataclass(frozen=True)
class S3Work:
    """COPY and UNLOAD and what they leave behind, the latency model and the slots (WLM), shared by all sessions."""

    loader: Loader
    unloader: Unloader
    recorder: LoadRecorder
    latency: Latency
    slots: asyncio.Semaphore | None = None

    async def run(self, plan: Plan, backend: Backend, record: Record) -> Loaded:
        """Run the plan's COPY or UNLOAD in the client's pipeline.

        Raises:
            Refusal: Redshift would refuse it.
            BackendError, Skipped: PostgreSQL did, now or before.
        """
        if plan.unload is not None:
            return await self.unloader.unload(plan.unload, backend, record)
        assert plan.copy is not None
        return await self.loader.load(plan.copy, backend, record)

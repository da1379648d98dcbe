"""The statements that the gateway runs itself: those that move data to or from S3, and changes of its own model."""

from dataclasses import dataclass

from harness.redshift import messages as wire
from harness.redshift.backend import Backend
from harness.redshift.copy.load import Loaded, Loader
from harness.redshift.copy.unload import Unloader
from harness.redshift.plan import Plan
from harness.redshift.querylog import Record
from harness.redshift.recorder import LoadRecorder
from harness.redshift.workload import Workload


@dataclass(frozen=True)
class S3Work:
    """COPY and UNLOAD and what they leave behind, and the model of the workload, shared by all sessions."""

    loader: Loader
    unloader: Unloader
    recorder: LoadRecorder
    workload: Workload

    async def run(self, plan: Plan, backend: Backend, record: Record) -> Loaded:
        """Run the plan's COPY or UNLOAD in the client's pipeline, or change the model.

        Raises:
            Refusal: Redshift would refuse it.
            BackendError, Skipped: PostgreSQL did, now or before.
        """
        if plan.model is not None:
            self.workload.change(plan.model)
            return Loaded(0, 0, wire.message(b"C", wire.text(plan.kind)))
        if plan.unload is not None:
            return await self.unloader.unload(plan.unload, backend, record, keeps_capitals=plan.keeps_capitals)
        assert plan.copy is not None
        return await self.loader.load(plan.copy, backend, record)

"""Faults of processes: a part of the stack that keeps its connections and answers nothing, as in a failover."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil

from harness.errors import HarnessError
from harness.faults.site import Site


@dataclass(frozen=True)
class Hangs:
    """The process of a part is stopped (SIGSTOP): `redshift` is the warehouse, `emulator` S3, SQS and Lambda."""

    part: Literal["redshift", "emulator"]

    @property
    def name(self) -> str:
        return f"{self.part} does not answer"

    def inject(self, site: Site) -> Callable[[], str | None]:
        try:
            process = psutil.Process(site.aws.endpoints.pids[self.part])
        except (KeyError, psutil.Error) as error:
            raise HarnessError(f"{self.name}: this stack has no process {self.part} of ours to stop") from error
        began_s = time.time()
        process.send_signal(signal.SIGSTOP)

        def heal() -> str | None:
            was_stopped = process.status() == psutil.STATUS_STOPPED
            process.send_signal(signal.SIGCONT)
            return f"did not answer for {time.time() - began_s:.1f} s" if was_stopped else None

        return heal

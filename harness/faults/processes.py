"""Faults of processes: a part of the stack that keeps its connections and answers nothing, or ends and comes back."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil

from harness import warehouse_model
from harness.errors import HarnessError
from harness.faults.site import Site
from harness.provision import provision
from harness.stack import parts


@dataclass(frozen=True)
class Hangs:
    """The process of a part is stopped (SIGSTOP): `redshift` is the warehouse, `emulator` S3, SQS and Lambda."""

    part: Literal["redshift", "emulator"]

    @property
    def name(self) -> str:
        return f"{self.part} does not answer"

    def inject(self, site: Site) -> Callable[[], str | None]:
        process = psutil.Process(self._pid(site))
        began_s = time.time()
        process.send_signal(signal.SIGSTOP)

        def heal() -> str | None:
            was_stopped = process.status() == psutil.STATUS_STOPPED
            process.send_signal(signal.SIGCONT)
            return f"did not answer for {time.time() - began_s:.1f} s" if was_stopped else None

        return heal

    def _pid(self, site: Site) -> int:
        endpoints = site.aws.endpoints
        # as it is now: an earlier run on the same stack may have started the part anew
        running: dict[str, int] = parts.ask(endpoints.directory, show="pids")["pids"] if endpoints.pids else {}
        if self.part not in running:
            raise HarnessError(f"{self.name}: this stack has no process {self.part} of ours to stop")
        return running[self.part]


@dataclass(frozen=True)
class Restarted:
    """A part of the stack ends, and is started again when the fault is healed.

    `redshift` loses every session, and with `kill` at once; what was committed stays. `emulator` ends in order and
    keeps S3 objects and messages, as AWS does; functions and mappings are provisioned again.
    """

    part: Literal["redshift", "emulator"]
    kill: bool = False

    @property
    def name(self) -> str:
        return f"{self.part} {'killed' if self.kill else 'ended'} and started again"

    def inject(self, site: Site) -> Callable[[], str | None]:
        if self.part == "emulator" and self.kill:
            raise HarnessError(f"{self.name}: a killed emulator loses what AWS would keep")
        directory = site.aws.endpoints.directory
        before = parts.ask(directory, end=self.part, kill=self.kill)["pids"]
        began_s = time.time()

        def heal() -> str | None:
            now = parts.ask(directory, start=self.part)["pids"]
            if self.part == "emulator":
                provision(site.pipeline, site.timing, site.aws)
            else:
                warehouse_model.apply(site.pipeline.warehouse.model, site.aws.endpoints)
            was_away = self.part not in before and self.part in now
            return f"was away for {time.time() - began_s:.1f} s" if was_away else None

        return heal

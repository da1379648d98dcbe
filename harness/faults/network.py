"""Faults of the network between the pipeline and what it connects to, made by `harness.faults.proxy`.

`redshift` is the warehouse as functions and merges reach it, `aws` S3, SQS and Lambda as functions and sources do.
Event notifications and the polling of queues happen inside AWS and are not touched.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.faults.proxied import Control, Name
from harness.faults.site import Site
from harness.scenario import Timed


@dataclass(frozen=True)
class SlowNetwork:
    """Bytes take `latency_s` longer in each direction, and all connections share `bytes_per_s` (0: no limit)."""

    endpoint: Name
    latency_s: float = 0.0
    bytes_per_s: float = 0.0

    @property
    def name(self) -> str:
        parts = [f"{self.latency_s * 1000:g} ms more each way"] if self.latency_s else []
        parts += [f"{self.bytes_per_s / 1000:g} kB/s for all"] if self.bytes_per_s else []
        return f"network to {self.endpoint}: {', '.join(parts)}"

    def inject(self, site: Site) -> Callable[[], str | None]:
        control = _control(site, self.name)
        before = control.tell(count=self.endpoint)
        control.tell(change=self.endpoint, latency_s=self.latency_s, bytes_per_s=self.bytes_per_s)

        def heal() -> str | None:
            control.tell(change=self.endpoint)
            chunks = control.tell(count=self.endpoint)["chunks_late"] - before["chunks_late"]
            return f"{chunks:,} pieces of data came late" if chunks else None

        return heal


@dataclass(frozen=True)
class Cut:
    """Open connections are closed and new ones refused."""

    endpoint: Name

    @property
    def name(self) -> str:
        return f"network to {self.endpoint}: cut"

    def inject(self, site: Site) -> Callable[[], str | None]:
        control = _control(site, self.name)
        before = control.tell(count=self.endpoint)
        control.tell(change=self.endpoint, mode="refuse")

        def heal() -> str | None:
            control.tell(change=self.endpoint)
            refused = control.tell(count=self.endpoint)["refused"] - before["refused"]
            return f"{refused:,} connections were closed or refused" if refused else None

        return heal


@dataclass(frozen=True)
class HalfOpen:
    """Connections stay open and nothing comes through them any more, as when the peer's host is gone. When it is back
    it knows none of the connections that lost something: they are reset."""

    endpoint: Name

    @property
    def name(self) -> str:
        return f"network to {self.endpoint}: half-open"

    def inject(self, site: Site) -> Callable[[], str | None]:
        control = _control(site, self.name)
        before = control.tell(count=self.endpoint)
        control.tell(change=self.endpoint, mode="swallow")

        def heal() -> str | None:
            control.tell(change=self.endpoint)
            lost = control.tell(count=self.endpoint)["swallowed_bytes"] - before["swallowed_bytes"]
            return f"{lost:,} bytes went nowhere" if lost else None

        return heal


@dataclass(frozen=True)
class Reset:
    """Open connections are reset once, and of new ones every `one_in`-th when its first answer comes."""

    endpoint: Name
    one_in: int = 3

    @property
    def name(self) -> str:
        return f"network to {self.endpoint}: open connections reset, then one in {self.one_in}"

    def inject(self, site: Site) -> Callable[[], str | None]:
        control = _control(site, self.name)
        before = control.tell(count=self.endpoint)
        control.tell(change=self.endpoint, reset_one_in=self.one_in)
        control.tell(reset=self.endpoint)

        def heal() -> str | None:
            control.tell(change=self.endpoint)
            count = control.tell(count=self.endpoint)["reset"] - before["reset"]
            return f"{count:,} connections were reset" if count else None

        return heal


def endpoints_needed(faults: Iterable[Timed]) -> frozenset[Name]:
    """The endpoints that a proxy has to stand in front of for these faults."""
    return frozenset(
        timed.fault.endpoint for timed in faults if isinstance(timed.fault, SlowNetwork | Cut | HalfOpen | Reset)
    )


def _control(site: Site, fault: str) -> Control:
    assert site.proxy is not None, f"{fault}: the run has put no proxy there"
    return site.proxy

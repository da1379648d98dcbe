"""Where faults do their work: the stack, the pipeline on it, and what has been seen of the run so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.aws import Aws
from harness.history import History
from harness.ledger import Ledger
from harness.pipeline import Pipeline
from harness.provision import Provisioned
from harness.timing import Timing

if TYPE_CHECKING:
    from harness.faults.proxied import Control

LOOK_EVERY_S = 0.2
DELIVERIES_MAX = 3


@dataclass(frozen=True)
class Site:
    """What a fault may use; it changes nothing here but through AWS, the warehouse, a process or the proxy.

    `proxy` is there when the scenario has faults of the network; `as_meant` makes the bytes that the file of a key
    would have, had nothing gone wrong at its source.
    """

    pipeline: Pipeline
    provisioned: Provisioned
    timing: Timing
    aws: Aws
    history: History
    ledger: Ledger
    as_meant: Callable[[str], bytes]
    proxy: "Control | None" = None

    def waiting_messages(self) -> int:
        """Messages on all source queues that nobody has received at this moment."""
        return sum(
            int(
                self.aws.sqs.get_queue_attributes(
                    QueueUrl=resources.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
                )["Attributes"]["ApproximateNumberOfMessages"]
            )
            for resources in self.provisioned.types.values()
        )

    def wait_until_handled(self) -> None:
        """Wait until the functions are done with every file in the bucket, at most for three visibility timeouts.

        The emulator ends what is under way when a function's configuration is updated, which AWS does not: healing a
        function before would be a fault of its own.
        """
        give_up_s = time.monotonic() + DELIVERIES_MAX * max(self.timing.visibility_timeout_s.values())
        while time.monotonic() < give_up_s and any(
            file.acknowledged_s is not None and file.success is None and file.dead_letter is None
            for file in list(self.history.files.values())
        ):
            time.sleep(LOOK_EVERY_S)

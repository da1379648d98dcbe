"""Where faults do their work: the stack, the pipeline on it, and what has been seen of the run so far."""

from dataclasses import dataclass

from harness.aws import Aws
from harness.history import History
from harness.pipeline import Pipeline
from harness.provision import Provisioned
from harness.timing import Timing


@dataclass(frozen=True)
class Site:
    """What a fault may use; it changes nothing here but through AWS, the warehouse or a process."""

    pipeline: Pipeline
    provisioned: Provisioned
    timing: Timing
    aws: Aws
    history: History

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

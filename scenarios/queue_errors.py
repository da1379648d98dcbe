"""Are messages that could not be deleted loaded once?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.api import ApiErrors
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="queue_errors",
    question="Is every record there once when SQS refuses a third of receives and deletes, so that files come back?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=24,
    checks=default_checks(),
    faults=(
        at(2, ApiErrors("sqs", ("ReceiveMessage",), "ThrottlingException", rate=0.3), for_s=12),
        at(2, ApiErrors("sqs", ("DeleteMessageBatch",), "InternalError", rate=0.3), for_s=12),
    ),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

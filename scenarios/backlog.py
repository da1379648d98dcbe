"""Does a backlog drain in time?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.functions import NobodyPolls
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="backlog",
    question="Does the pipeline catch up within its SLA when nobody polled the queues for a while?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=24,
    checks=default_checks(),
    faults=(at(2, NobodyPolls(), for_s=12),),
    # a file that came first waits twelve seconds for its function and then for a merge: an SLA of 30 s leaves none over
    time_scale=30,
)

Files = locust_user(scenario)

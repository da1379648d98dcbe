"""Is a file loaded once although the function runs out of memory after its commit?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.functions import Breaks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="handler_oom",
    question="Is nothing lost or doubled when the function runs out of memory after the commit and before the answer?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=12,
    checks=default_checks(),
    faults=(at(0, Breaks("memory")),),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

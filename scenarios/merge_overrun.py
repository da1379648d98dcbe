"""What does a merge that takes too long do?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.warehouse import LockHeld
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="merge_overrun",
    question="Is nothing lost when the merge waits for the final tables while files keep coming?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=40,
    checks=default_checks(),
    faults=(at(2, LockHeld("final"), for_s=20),),
)

Files = locust_user(scenario)

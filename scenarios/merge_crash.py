"""Is a merge that is ended half-way rolled back and tried again?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.warehouse import MergeKilled
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="merge_crash",
    question="Is nothing lost or doubled when the session of the merge is ended half-way?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=30,
    checks=default_checks(),
    faults=(at(10, MergeKilled(), for_s=18),),
)

Files = locust_user(scenario)

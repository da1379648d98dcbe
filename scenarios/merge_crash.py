"""Is a merge that is ended half-way rolled back and tried again?"""

from generators.arrivals import paused
from harness.checks import default_checks
from harness.faults.warehouse import MergeKilled
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="merge_crash",
    question="Is nothing lost or doubled when the session of the merge is ended half-way?",
    # the SLA is two merge intervals: a file that arrives with the first one and misses its merge has nothing to spare
    workload=Workload(paused(rate_per_min=120, at_s=0, for_s=2), records_per_file=2_000),
    duration_s=32,
    checks=default_checks(),
    faults=(at(10, MergeKilled(), for_s=18),),
)

Files = locust_user(scenario)

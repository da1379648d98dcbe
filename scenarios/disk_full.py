"""Does a warehouse without room only delay?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.warehouse import DiskFull
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="disk_full",
    question="Is nothing lost, doubled or dead-lettered when the warehouse has no room for a while and then has again?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=30,
    checks=default_checks(),
    faults=(at(5, DiskFull(), for_s=10),),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

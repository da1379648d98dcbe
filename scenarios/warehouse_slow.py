"""Does a warehouse that takes 25 s a file keep up?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.warehouse import SlowWarehouse
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="warehouse_slow",
    question="Does the pipeline hold its SLA when a file takes 25 s, as in the original, two a minute of each type?",
    workload=Workload(constant(rate_per_min=8)),
    duration_s=120,
    ends_within_s=600,
    checks=default_checks(),
    faults=(at(0, SlowWarehouse(copy_s=24)),),
    # 24 s are not scaled: an SLA of 30 s would leave no time for anything else
    time_scale=6,
)

Files = locust_user(scenario)

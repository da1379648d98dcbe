"""Are back-dated files loaded?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload
from harness.shapes import Backdated

scenario = Scenario(
    name="late_partition",
    question="Are files loaded that belong to the partitions of earlier days?",
    workload=Workload(constant(rate_per_min=120), shapes=(Backdated(every=3, days=5),)),
    duration_s=12,
    checks=default_checks(),
)

Files = locust_user(scenario)

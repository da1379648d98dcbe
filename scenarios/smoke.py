"""Does the whole pipeline work at all?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="smoke",
    question="Does the whole pipeline work at all: 24 files, over all types, once through?",
    workload=Workload(constant(rate_per_min=120)),
    duration_s=12,
    checks=default_checks(),
)

Files = locust_user(scenario)

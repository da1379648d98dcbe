"""Does one busy type starve the others?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="skewed_types",
    question="Does every type hold the SLA when the first sends 20 times as many files as each other?",
    workload=Workload(constant(rate_per_min=120), skewed_to_first=20),
    duration_s=120,
    ends_within_s=600,
    checks=default_checks(),
)

Files = locust_user(scenario)

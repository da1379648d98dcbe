"""Does the pipeline hold its SLA at the everyday rate?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="steady",
    question="Does the pipeline hold its SLA at the everyday rate of 100 files a minute?",
    workload=Workload(constant(rate_per_min=100)),
    duration_s=300,
    ends_within_s=600,
    checks=default_checks(),
)

Files = locust_user(scenario)

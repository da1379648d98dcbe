"""What is the highest rate that still holds the SLA, and what stands in the way of a higher one?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Search, Workload

scenario = Scenario(
    name="capacity",
    question="What is the highest arrival rate that holds the SLA and drains, and what is saturated above it?",
    workload=Workload(constant(rate_per_min=30)),
    duration_s=30,
    ends_within_s=3600,
    checks=default_checks(),
    search=Search(low_per_min=30, high_per_min=1_200),
)

Files = locust_user(scenario)

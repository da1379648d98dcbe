"""Does a tenfold burst drain in time?"""

from generators.arrivals import burst
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="burst",
    question="Does the pipeline hold its SLA through two minutes at ten times the everyday rate?",
    workload=Workload(burst(base_per_min=100, peak_per_min=1000, at_s=60, for_s=120), records_per_file=1_000),
    duration_s=300,
    ends_within_s=900,
    checks=default_checks(),
    # the backlog of two minutes takes longer than they did: an SLA of 30 s would be about this machine
    time_scale=4,
)

Files = locust_user(scenario)

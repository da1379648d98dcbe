"""Does a rate that rises slowly find a limit?"""

from generators.arrivals import ramp
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="ramp",
    question="Does the pipeline hold its SLA while the rate rises from 20 to 400 files a minute?",
    workload=Workload(ramp(from_per_min=20, to_per_min=400, over_s=300), records_per_file=2_000),
    duration_s=300,
    ends_within_s=900,
    checks=default_checks(),
    # 400 files a minute are more than two cores load at once: the SLA has to leave time for a queue
    time_scale=10,
)

Files = locust_user(scenario)

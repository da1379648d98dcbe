"""What do many small files cost?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="small_files",
    question="Does the pipeline hold its SLA when the same records come in 100 times more files?",
    workload=Workload(constant(rate_per_min=600), records_per_file=100),
    duration_s=60,
    ends_within_s=600,
    checks=default_checks(),
    # 600 files a minute are about what two cores load: the SLA has to leave time for a queue
    time_scale=20,
)

Files = locust_user(scenario)

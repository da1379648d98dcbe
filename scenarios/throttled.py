"""Is a throttled function's work only late?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.functions import Throttled
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="throttled",
    question="Is nothing lost or dead-lettered when no concurrency is left for a while?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=24,
    checks=default_checks(),
    faults=(at(2, Throttled(concurrency=0), for_s=8),),
    # a throttled message may come back only after its visibility timeout
    time_scale=10,
)

Files = locust_user(scenario)

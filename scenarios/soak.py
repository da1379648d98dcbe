"""Does it still work after an hour?"""

from generators.arrivals import constant
from harness.checks import default_checks, memory_levels_off
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="soak",
    question="Is the pipeline as good after an hour at the everyday rate as at first?",
    workload=Workload(constant(rate_per_min=100)),
    duration_s=3600,
    ends_within_s=3_900,
    checks=(*default_checks(), memory_levels_off()),
)

Files = locust_user(scenario)

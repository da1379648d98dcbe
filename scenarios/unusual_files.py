"""Is every file loaded that is right, though not as one expects it?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload
from harness.shapes import Unusual

scenario = Scenario(
    name="unusual_files",
    question="Are files loaded that are right, but have odd names, columns in another order or another packing?",
    workload=Workload(constant(rate_per_min=120), shapes=(Unusual(),)),
    duration_s=12,
    checks=default_checks(),
)

Files = locust_user(scenario)

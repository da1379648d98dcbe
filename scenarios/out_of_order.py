"""Does the newest version of a record win?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload
from harness.shapes import Versions

scenario = Scenario(
    name="out_of_order",
    question="Does the newest version of each record win when versions come in any order?",
    workload=Workload(constant(rate_per_min=120), records_per_file=1_000, shapes=(Versions(),)),
    duration_s=24,
    checks=default_checks(),
)

Files = locust_user(scenario)

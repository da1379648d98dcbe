"""Are all records of a message loaded?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.events import Events
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="batched_events",
    question="Is every file loaded when a message announces two of them?",
    workload=Workload(constant(rate_per_min=120)),
    duration_s=12,
    checks=default_checks(),
    faults=(at(0, Events(together=2)),),
)

Files = locust_user(scenario)

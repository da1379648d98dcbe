"""Is an event that comes three times loaded once?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.events import Events
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="duplicate_events",
    question="Is every record there once when S3 delivers each event three times, at once and late?",
    workload=Workload(constant(rate_per_min=120)),
    duration_s=12,
    checks=default_checks(),
    faults=(at(0, Events(copies=3)),),
)

Files = locust_user(scenario)

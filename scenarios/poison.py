"""Are broken files refused, and only those?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload
from harness.shapes import Poisoned

scenario = Scenario(
    name="poison",
    question="Do broken files, and only those, reach their dead letter queues, while their neighbours load?",
    workload=Workload(constant(rate_per_min=120), shapes=(Poisoned(every=2),)),
    duration_s=20,
    ends_within_s=480,
    checks=default_checks(),
    # a broken file is tried three times, and a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

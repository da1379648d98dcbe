"""Are dead letters loaded once after the fix, and only those that were mended?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.redriven import Redriven
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at
from harness.shapes import Poisoned

scenario = Scenario(
    name="redrive",
    question="Is each mended file loaded once when all dead letters are sent back, and do the broken ones return?",
    workload=Workload(constant(rate_per_min=120), shapes=(Poisoned(every=3),)),
    duration_s=12,
    ends_within_s=480,
    checks=default_checks(),
    faults=(at(0, Redriven(mended_one_in=2)),),
    # a broken file is tried three times, twice over, and a message comes back no sooner than a minute later
    time_scale=10,
    drain_within_s=7200,
)

Files = locust_user(scenario)

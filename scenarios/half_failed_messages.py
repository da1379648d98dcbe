"""Does a message come back when one of its two files failed?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.api import ApiErrors
from harness.faults.events import Events
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="half_failed_messages",
    question="Is every file loaded when a message announces two and now and then one of them cannot be read at first?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=24,
    checks=default_checks(),
    faults=(
        at(0, Events(together=2)),
        at(2, ApiErrors("s3", ("HeadObject", "GetObject"), "AccessDenied", rate=0.2), for_s=10),
    ),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

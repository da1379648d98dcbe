"""Is nothing lost in a deployment?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.functions import Deployed
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="deploy_during_load",
    question="Is nothing lost or doubled when the functions are deployed while files arrive?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=30,
    checks=default_checks(),
    faults=(at(12, Deployed(), for_s=10),),
    # what was under way comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

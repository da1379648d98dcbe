"""Does a warehouse that ends and comes back only delay?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.processes import Restarted
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="warehouse_restart",
    question="Is nothing lost or doubled when the warehouse drops every session and is away for some seconds?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=30,
    checks=default_checks(),
    faults=(at(5, Restarted("redshift", kill=True), for_s=6),),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

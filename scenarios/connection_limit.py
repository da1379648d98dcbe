"""Does each function keep to one connection?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.connections import ConnectionLimit
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="connection_limit",
    question="Do functions manage with one connection each, when the warehouse takes no more than that?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=24,
    checks=default_checks(),
    faults=(at(0, ConnectionLimit()),),
    # a file that was refused a connection comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

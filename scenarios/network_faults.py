"""Does a bad network between functions and warehouse only delay?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.network import Cut, HalfOpen, Reset, SlowNetwork
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="network_faults",
    question="Is nothing lost or doubled when the network is slow, resets connections, is cut, or swallows bytes?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=40,
    checks=default_checks(),
    faults=(
        at(2, SlowNetwork("aws", latency_s=0.05, bytes_per_s=2_000_000), for_s=6),
        at(2, SlowNetwork("redshift", latency_s=0.05), for_s=6),
        at(10, Reset("redshift", one_in=3), for_s=6),
        at(18, Cut("redshift"), for_s=4),
        at(26, HalfOpen("redshift"), for_s=5),
    ),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

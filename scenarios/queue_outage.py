"""Does an outage of AWS' services only delay?"""

from generators.arrivals import paused
from harness.checks import default_checks
from harness.faults.processes import Hangs
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="queue_outage",
    question="Is nothing lost or doubled when S3, SQS and Lambda do not answer for a while?",
    # the SLA is two merge intervals: a file that arrives with the first one and misses its merge has nothing to spare
    workload=Workload(paused(rate_per_min=120, at_s=0, for_s=2), records_per_file=2_000),
    duration_s=32,
    checks=default_checks(),
    faults=(at(5, Hangs("emulator"), for_s=8),),
    time_scale=10,
)

Files = locust_user(scenario)

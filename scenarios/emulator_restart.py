"""Does a restart of the emulator only delay?"""

from generators.arrivals import paused
from harness.checks import default_checks
from harness.faults.processes import Restarted
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="emulator_restart",
    question="Is nothing lost or doubled when S3, SQS and Lambda end for a while and come back with what they kept?",
    workload=Workload(paused(rate_per_min=120, at_s=10, for_s=50), records_per_file=2_000),
    duration_s=70,
    checks=default_checks(),
    faults=(at(10.5, Restarted("emulator"), for_s=5),),
    # no file arrives while the emulator is away; what was under way comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

"""Does a lock on the stage tables only delay?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.warehouse import LockHeld
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="warehouse_lock",
    question="Is nothing lost when somebody holds the lock of every stage table for a while?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=24,
    checks=default_checks(),
    faults=(at(2, LockHeld("stage"), for_s=8),),
)

Files = locust_user(scenario)

"""Does the event-driven design beat the half-hourly job that it replaced, on the same files?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload

scenario = Scenario(
    name="side_by_side",
    question="Which design makes the same files queryable in time: queues and functions, or a half-hourly Glue job?",
    workload=Workload(constant(rate_per_min=100)),
    duration_s=270,
    ends_within_s=900,
    checks=default_checks(),
    # A Spark takes its time to start, which is not scaled: a smaller scale than most leaves it in proportion.
    time_scale=20,
    drain_within_s=7200,
    beside="glue.toml",
)

Files = locust_user(scenario)

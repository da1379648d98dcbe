"""Does the function take S3's test message for done?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.events import TestEvents
from harness.load.locustfile import locust_user
from harness.scenario import Scenario, Workload, at

scenario = Scenario(
    name="s3_test_event",
    question="Do functions cope with the message without records that S3 sends when notifications are set up?",
    workload=Workload(constant(rate_per_min=120)),
    duration_s=12,
    checks=default_checks(),
    faults=(at(2, TestEvents()),),
)

Files = locust_user(scenario)

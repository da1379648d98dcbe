"""Do errors of S3 only delay?"""

from generators.arrivals import constant
from harness.checks import default_checks
from harness.faults.api import ApiErrors
from harness.load.locustfile import locust_user
from harness.pipeline import COPY_STAGING_PREFIX
from harness.scenario import Scenario, Workload, at

# Functions fetch files, write what COPY is to read and tidy up after it; COPY reads it.
_OPERATIONS = ("HeadObject", "GetObject", "ListObjectsV2", "DeleteObjects")

scenario = Scenario(
    name="s3_errors",
    question="Is nothing lost, doubled or dead-lettered while S3 answers SlowDown and InternalError now and then?",
    workload=Workload(constant(rate_per_min=120), records_per_file=2_000),
    duration_s=30,
    checks=default_checks(),
    faults=(
        at(3, ApiErrors("s3", _OPERATIONS, "SlowDown", rate=0.6), for_s=9),
        at(3, ApiErrors("s3", ("PutObject",), "SlowDown", rate=0.6, resource=COPY_STAGING_PREFIX), for_s=9),
        at(15, ApiErrors("s3", _OPERATIONS, "InternalError", rate=0.6), for_s=9),
        at(15, ApiErrors("s3", ("PutObject",), "InternalError", rate=0.6, resource=COPY_STAGING_PREFIX), for_s=9),
    ),
    # a message comes back no sooner than a minute later
    time_scale=10,
)

Files = locust_user(scenario)

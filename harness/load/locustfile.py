"""What makes a scenario a locustfile too: `locust -f scenarios/steady.py`.

In: a scenario. Out: the User class that Locust looks for in the file, or None when it is not Locust that reads it (then
nothing of Locust is imported, which would patch the standard library).
"""

import sys
from typing import Any

from harness.scenario import Scenario


def locust_user(scenario: Scenario) -> type[Any] | None:
    """The scenario's Locust user; None unless the `locust` command is what runs."""
    if "locust.main" not in sys.modules:
        return None
    from harness.load.direct import user_of

    return user_of(scenario)

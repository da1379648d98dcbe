"""All charts of a report, in the order of the page.

In: the evidence of a run. Out: `Figure`s.
"""

from harness.checks import Evidence
from harness.report import breakdown, series
from harness.report.flow import arrivals, start_lag
from harness.report.latencies import distribution, latency_over_time, where_the_time_goes
from harness.report.panels import what_waited
from harness.report.scene import Figure, Scene


def figures(evidence: Evidence) -> dict[str, Figure]:
    """The charts by name; none when no load was started."""
    history = evidence.history
    if history.start_at_s is None:
        return {}
    scene = Scene(evidence, history.start_at_s, series.end_s(history, history.start_at_s), breakdown.of_run(history))
    drawn = [latency_over_time(scene), where_the_time_goes(scene), distribution(scene), arrivals(scene)]
    drawn += [what_waited(scene), start_lag(scene)]
    return {figure.name: figure for figure in drawn}

"""All charts of a report, in the order of the page.

In: the evidence of a run. Out: `Figure`s.
"""

from harness.checks import Evidence
from harness.report import breakdown, series
from harness.report.costs import cost_shares
from harness.report.flow import arrivals, start_lag
from harness.report.latencies import distribution, latency_over_time, where_the_time_goes
from harness.report.panels import what_waited
from harness.report.scene import Figure, Scene


def figures(evidence: Evidence, now_s: float | None = None) -> dict[str, Figure]:
    """The charts by name; none when no load was started. `now_s`, in epoch seconds, is given while the run goes on."""
    history = evidence.history
    if history.start_at_s is None:
        return {}
    origin_s = history.start_at_s
    since_s = None if now_s is None else now_s - origin_s
    scene = Scene(evidence, origin_s, series.end_s(history, origin_s), breakdown.of_run(history), since_s)
    drawn = [latency_over_time(scene), where_the_time_goes(scene), distribution(scene), arrivals(scene)]
    drawn += [what_waited(scene), start_lag(scene)]
    if now_s is None and (shares := cost_shares(scene)):
        drawn.append(shares)
    return {figure.name: figure for figure in drawn}

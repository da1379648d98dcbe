"""`harness compare`: is HEAD slower, or worse in any count, than BASE? A gate for CI that knows noise.

In: run directories of both. Out: a `Comparison`. A run is one observation of each metric, however many files it had:
files of one run share the machine's mood. docs/decisions/compare-statistics.md says why it is done this way.
"""

from harness.compare.decide import Comparison, Finding, Outcome, compare
from harness.compare.measure import Measured, measure, runs_in

__all__ = ["Comparison", "Finding", "Measured", "Outcome", "compare", "measure", "runs_in"]

"""Thread time by name, for spans that nest: what an inner span takes is not counted in the outer one.

In: functions. Out: the same functions, counted, and the totals. Knows nothing of what they do.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any


class Spans:
    """Thread time by name; spans nest."""

    def __init__(self) -> None:
        self._totals_s: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._local = threading.local()

    def totals_s(self) -> dict[str, float]:
        """A copy of what is counted so far."""
        with self._lock:
            return dict(self._totals_s)

    def spanning(self, name_of: Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, counted under the name that `name_of` gives its arguments once it has run."""

        @wraps(function)
        def spanned(*args: Any, **kwargs: Any) -> Any:
            outer_inside_s = getattr(self._local, "inside_s", 0.0)
            self._local.inside_s = 0.0
            began_s = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent_s = time.thread_time() - began_s
                with self._lock:
                    self._totals_s[name_of(*args, **kwargs)] += spent_s - self._local.inside_s
                self._local.inside_s = outer_inside_s + spent_s

        return spanned

"""The keys of a bucket in order, and which of them a listing may name.

In: keys; a listing's request. Out: the keys of its page, without a look at any other. Knows nothing of LocalStack.
"""

import base64
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

PAGE_KEYS = 1000


@dataclass(frozen=True)
class Page:
    """The keys that begin with `prefix`, from `start` on; at most `most` of them if that is not None."""

    prefix: str = ""
    start: str = ""
    most: int | None = None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Page":
        """What a listing's answer may name, and one key more: that there is another page shows by it.

        With a delimiter any number of keys may share an entry. What the listing starts after is in it.
        """
        start = request.get("start_after") or request.get("marker") or ""
        if token := request.get("continuation_token"):
            start = base64.urlsafe_b64decode(token).decode()
        most = None if request.get("delimiter") else (request.get("max_keys") or PAGE_KEYS) + 2
        return cls(request.get("prefix") or "", start, most)


class Keys:
    """Keys in the order of S3, which is that of their code points."""

    def __init__(self) -> None:
        self._sorted: list[str] = []

    def add(self, key: str) -> None:
        """Put in a key that is not there yet."""
        insort(self._sorted, key)

    def remove(self, key: str) -> None:
        """Take out a key that is there."""
        del self._sorted[bisect_left(self._sorted, key)]

    def page(self, page: Page) -> list[str]:
        """The keys of a page."""
        return list(islice(self._from(page), page.most))

    def _from(self, page: Page) -> Iterator[str]:
        at = bisect_left(self._sorted, max(page.prefix, page.start))
        while at < len(self._sorted) and self._sorted[at].startswith(page.prefix):
            yield self._sorted[at]
            at += 1

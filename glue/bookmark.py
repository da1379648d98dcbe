"""Which files are new: by the time S3 says they were last modified, as Glue's job bookmarks do it.

In: the objects of a listing, when it began, and the bookmark of the last run that committed. Out: the objects to load,
and the bookmark to keep if that succeeds.

S3 gives that time in whole seconds, and a listing takes time: a file can arrive after the listing and yet carry a time
before its end. So Glue remembers, by name, the files of the last `maxBand` seconds (900 unless told otherwise), and
looks at that stretch again. With a band of 0 the time alone decides, and such files are never loaded. Source: Glue
Developer Guide, "Tracking processed data using job bookmarks" and "Connection types and options: Amazon S3" (maxBand).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class FoundObject:
    """An object of a listing; `modified_s` is its LastModified in whole seconds since the epoch."""

    key: str
    size_bytes: int
    modified_s: float


@dataclass(frozen=True)
class Bookmark:
    """All up to `until_s` is loaded, and of the band before it exactly `recent` is."""

    until_s: float
    recent: frozenset[str]

    def to_json(self) -> dict[str, Any]:
        return {"until_s": self.until_s, "recent": sorted(self.recent)}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Raises ValueError when it is not a bookmark."""
        try:
            return cls(float(raw["until_s"]), frozenset(raw["recent"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a bookmark: {error!r}") from error


NOTHING_YET = Bookmark(float("-inf"), frozenset())


def new_objects(objects: Iterable[FoundObject], bookmark: Bookmark, max_band_s: float) -> list[FoundObject]:
    """The objects that are not loaded yet, as far as the bookmark can tell."""
    settled_s = bookmark.until_s - max_band_s
    return [found for found in objects if found.modified_s > settled_s and found.key not in bookmark.recent]


def next_bookmark(objects: Iterable[FoundObject], listed_at_s: float, max_band_s: float) -> Bookmark:
    """The bookmark of a run that has loaded every object of a listing which began at `listed_at_s`."""
    settled_s = listed_at_s - max_band_s
    return Bookmark(listed_at_s, frozenset(found.key for found in objects if found.modified_s > settled_s))

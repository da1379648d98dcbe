"""Which files the job takes: each once, also those that arrive while it lists; without a band some never."""

from pathlib import Path

import pytest

from glue.bookmark import NOTHING_YET, Bookmark, FoundObject, new_objects, next_bookmark
from glue.service import Job, getResolvedOptions


def found(key: str, modified_s: float) -> FoundObject:
    return FoundObject(key, 10, modified_s)


def test_the_first_run_takes_everything() -> None:
    objects = [found("a", 1), found("b", 2_000_000_000)]
    assert new_objects(objects, NOTHING_YET, 900) == objects


def test_what_a_committed_run_took_is_not_taken_again_and_what_came_since_is() -> None:
    before = [found("old", 10), found("recent", 995)]
    bookmark = next_bookmark(before, 1000, max_band_s=900)
    assert new_objects([*before, found("new", 1001)], bookmark, 900) == [found("new", 1001)]


@pytest.mark.parametrize(("max_band_s", "is_loaded"), [(900, True), (0, False)])
def test_a_file_that_lands_after_the_listing_with_an_earlier_second_needs_the_band(
    max_band_s: float, *, is_loaded: bool
) -> None:
    listed = [found("seen", 1000)]
    bookmark = next_bookmark(listed, 1000.4, max_band_s)
    # put at 1000.8: S3 says 1000
    late = found("late", 1000)
    assert new_objects([*listed, late], bookmark, max_band_s) == ([late] if is_loaded else [])


def test_a_run_that_does_not_commit_leaves_the_bookmark(tmp_path: Path) -> None:
    state = tmp_path / "bookmark.json"
    first = Job(state)
    first.init("loader")
    first.commit(Bookmark(5.0, frozenset({"a"})))
    failed = Job(state)
    failed.init("loader")
    again = Job(state)
    again.init("loader")
    assert again.bookmark == Bookmark(5.0, frozenset({"a"}))


def test_a_state_that_is_no_bookmark_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "bookmark.json"
    state.write_text("{}")
    with pytest.raises(ValueError, match="not a bookmark"):
        Job(state).init("loader")


def test_arguments_are_found_by_name_and_a_missing_one_ends_the_job() -> None:
    argv = ["job.py", "--JOB_NAME", "loader", "--enable-metrics", "true", "--bucket", "landing"]
    assert getResolvedOptions(argv, ["JOB_NAME", "bucket"]) == {"JOB_NAME": "loader", "bucket": "landing"}
    with pytest.raises(SystemExit):
        getResolvedOptions(argv, ["types"])

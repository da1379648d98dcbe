"""The page of a listing out of a bucket's keys, against looking at every key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.localstack.s3_keys import Keys, Page

KEYS = st.text(alphabet="ab/=%ü", max_size=4)


@given(st.sets(KEYS), st.sets(KEYS), KEYS, KEYS, st.none() | st.integers(1, 5))
def test_a_page_is_what_looking_at_every_key_finds(
    put: set[str], taken: set[str], prefix: str, start: str, most: int | None
) -> None:
    keys = Keys()
    for key in put:
        keys.add(key)
    for key in put & taken:
        keys.remove(key)
    left = sorted(put - taken)
    assert keys.page(Page()) == left
    assert (
        keys.page(Page(prefix, start, most)) == [key for key in left if key.startswith(prefix) and key >= start][:most]
    )


@pytest.mark.parametrize(("request_", "page"), [
    ({}, Page(most=1002)), ({"prefix": "a/", "max_keys": 3}, Page("a/", most=5)),
    ({"start_after": "b"}, Page("", "b", 1002)), ({"marker": "c"}, Page("", "c", 1002)),
    ({"continuation_token": "w7w=", "start_after": "b"}, Page("", "ü", 1002)),
    ({"prefix": "a/", "delimiter": "/"}, Page("a/")),
])  # fmt: skip
def test_what_a_listing_may_name(request_: dict[str, Any], page: Page) -> None:
    assert Page.of(request_) == page


def test_a_listing_does_not_look_at_other_keys() -> None:
    class Key(str):
        __slots__ = ()
        looked = 0

        def startswith(self, *arguments: Any) -> bool:
            Key.looked += 1
            return super().startswith(*arguments)

    keys = Keys()
    for number in range(10_000):
        keys.add(Key(f"{number:05d}"))
    assert len(keys.page(Page("0400", "", 12))) == 10
    assert Key.looked == 11

"""docs/scenarios.md says what the catalogue holds: `python -m tests.unit.scenarios.catalogue_page` writes it."""

from tests.unit.scenarios.catalogue_page import PAGE, page


def test_the_page_is_that_of_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.unit.scenarios.catalogue_page"

import pytest

from tests.support.tables import PAGE, draw_all, fill_page, read_golden

TABLES = draw_all()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_code_does_what_the_golden_table_says(name: str) -> None:
    assert TABLES[name] == read_golden(name)


def test_the_page_for_developers_shows_the_golden_tables() -> None:
    page = PAGE.read_text()
    assert fill_page(page, {name: read_golden(name) for name in TABLES}) == page

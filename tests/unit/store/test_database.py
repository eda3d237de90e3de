"""URLs of databases are read, and others are refused by name."""

import pytest

from penstock.model.errors import InvalidError
from penstock.store.database import parse_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data/penstock.db", "sqlite:///data/penstock.db"),
        ("/data/a b.db", "sqlite:////data/a b.db"),
        ("sqlite:////data/x.db", "sqlite:////data/x.db"),
        ("postgresql://ci@db:5433/ci", "postgresql+psycopg://ci@db:5433/ci"),
        ("postgres://ci@db/ci", "postgresql+psycopg://ci@db/ci"),
        ("postgresql+psycopg:///ci?host=/run", "postgresql+psycopg:///ci?host=%2Frun"),
    ],
)
def test_a_url_names_its_driver(url: str, expected: str) -> None:
    assert parse_url(url).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://x/y", "'mysql'"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://host:port/x", "cannot be read"),
        ("://", "cannot be read"),
    ],
)
def test_another_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        parse_url(url)

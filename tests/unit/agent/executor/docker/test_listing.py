import pytest

from penstock.agent.executor.docker.listing import match_names, read_listing

DATA = b"d /top/x\0f /top/x/a.txt\0d /top/x/y\0f /top/x/y/b.txt\0F /top/link\0o /top/new\nline\0"


def test_a_listing_names_what_is_below_its_folder() -> None:
    listing = read_listing(DATA, "/top")
    assert [each.name for each in listing] == ["x", "x/a.txt", "x/y", "x/y/b.txt", "link", "new\nline"]
    assert [each.name for each in listing if each.is_file] == ["x/a.txt", "x/y/b.txt", "link"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["x", "link", "new\nline"]),
        ("x/*.txt", ["x/a.txt"]),
        ("**/*.txt", ["x/a.txt", "x/y/b.txt"]),
        ("x/**", ["x/a.txt", "x/y", "x/y/b.txt"]),
        ("l?n[a-k]", ["link"]),
    ],
)
def test_patterns_match_as_gos_do(pattern: str, names: list[str]) -> None:
    assert match_names(read_listing(DATA, "/top"), pattern) == names

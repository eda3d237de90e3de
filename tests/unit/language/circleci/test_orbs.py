"""References to orbs and the versions they choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.language.circleci.orbs import (
    OrbReference,
    choose_version,
    is_orb_url,
    parse_reference,
    rank_version,
)

VERSIONS = ("1.0.0", "1.2.0", "1.2.10", "1.2.9", "2.0.0", "10.0.1", "dev:alpha")


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("1", "1.2.10"), ("1.2", "1.2.10"), ("1.2.0", "1.2.0"), ("volatile", "10.0.1"), ("10", "10.0.1"),
        ("dev:alpha", "dev:alpha"), ("dev:beta", None), ("3", None), ("1.3", None), ("1.2.1", None),
    ],
)  # fmt: skip
def test_a_version_stands_for_the_newest_that_fits(wanted: str, chosen: str | None) -> None:
    assert choose_version(wanted, VERSIONS) == chosen


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=1))
def test_volatile_is_the_newest_and_every_prefix_leads_to_one_that_has_it(
    numbers: list[tuple[int, int, int]],
) -> None:
    versions = [".".join(map(str, number)) for number in numbers]
    newest = choose_version("volatile", versions)
    assert newest == ".".join(map(str, max(numbers)))
    for version in versions:
        major, minor, _ = version.split(".")
        chosen = choose_version(f"{major}.{minor}", versions)
        assert chosen is not None
        assert chosen.startswith(f"{major}.{minor}.")
        assert rank_version(chosen) >= rank_version(version)


@pytest.mark.parametrize(
    "text", ["circleci/node@5", "circleci/node@5.2.0", "a/b@volatile", "a/b@dev:x-1", "a-b/c_d@dev:<sha>"]
)
def test_references_are_read(text: str) -> None:
    reference = parse_reference(text.replace("<sha>", "0ab1"))
    assert str(reference) == text.replace("<sha>", "0ab1")


@pytest.mark.parametrize(
    "text",
    ["node@5", "a/b", "a/b@", "a/b@latest", "a/b@1.2.3.4", "../a/b@1", "a/../b@1", "a/b@1\n", "a/.b@1"],
)
def test_other_texts_are_no_references(text: str) -> None:
    assert parse_reference(text) is None


def test_exact_and_development_versions_can_be_published() -> None:
    published = [
        version for version in (*VERSIONS, "1", "volatile", "dev:") if OrbReference("a/b", version).published
    ]
    assert published == list(VERSIONS)


def test_only_safe_addresses_are_urls() -> None:
    assert is_orb_url("https://example.com/orb.yml")
    assert not any(map(is_orb_url, ("http://example.com/orb.yml", "https://", "https://a b", "file:///a")))

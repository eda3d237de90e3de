"""All spellings of an organization or a project come down to one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.kit.ids import new_id
from penstock.kit.short_ids import shorten_id
from penstock.model.errors import InvalidError
from penstock.model.slug import (
    ById,
    ByIds,
    BySlug,
    check_name,
    lengthen_slug,
    parse_organization,
    parse_project,
)

NAMES = st.text(
    st.characters(categories=["L", "N", "P"], exclude_characters="/\\%?#"), min_size=1, max_size=20
).filter(lambda name: name not in {".", ".."})
HOSTS = st.sampled_from(["gh", "bb", "gl", "git.example.com"])


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("gh/acme/app", "gh/acme/app"),
        ("github/acme/app", "gh/acme/app"),
        ("GitHub/acme/app", "gh/acme/app"),
        ("bitbucket/acme/app", "bb/acme/app"),
        ("gitlab/team/part/app", "gl/team/part/app"),
        ("gh%2Facme%2fapp", "gh/acme/app"),
        ("gh/acme/app.name_x-1", "gh/acme/app.name_x-1"),
        ("local/app", "local/app"),
        ("circleci/acme/app", "circleci/acme/app"),
        ("gh/Acme/APP", "gh/Acme/APP"),
    ],
)
def test_a_project_is_named_by_slug(text: str, slug: str) -> None:
    assert parse_project(text) == BySlug(slug)


def test_a_project_is_named_by_ids() -> None:
    owner, own = new_id(), new_id()
    both = ByIds(organization=owner, project=own)
    assert parse_project(own.upper()) == ById(own)
    assert parse_project(f"circleci/{owner}/{own}") == both
    assert parse_project(f"circleci/{shorten_id(owner)}/{shorten_id(own)}") == both
    assert parse_project(f"circleci%2F{shorten_id(owner)}%2F{own}") == both


def test_an_organization_is_named_by_slug_or_id() -> None:
    uuid = new_id()
    assert parse_organization("github/acme") == BySlug("gh/acme")
    assert parse_organization("gl%2Fteam%2Fpart") == BySlug("gl/team/part")
    assert parse_organization("local") == BySlug("local")
    assert parse_organization(uuid) == ById(uuid)
    assert parse_organization(f"circleci/{shorten_id(uuid)}") == ById(uuid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "gh",
        "gh/acme",
        "gh//app",
        "gh/acme/",
        "/gh/acme/app",
        "gh/../app",
        "gh/acme/..",
        "gh/ac me/app",
        "gh/acme/a\x00b",
        "gh/acme/a\\b",
        "gh/acme/%2e%2e",
        "~/0190",
        "gh/acme/app?x",
        "gh/acme/" + "a" * 201,
        "gh/" + "a/" * 200 + "b",
        "gh/acme/\udcff",
    ],
)
def test_what_is_no_slug_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_project(text)


@given(st.text() | st.text(alphabet="gh/%2F.~circle-é"))
def test_no_text_is_read_in_another_way_than_as_a_slug_an_id_or_a_mistake(text: str) -> None:
    for parse in (parse_project, parse_organization):
        try:
            named = parse(text)
        except InvalidError:
            continue
        if isinstance(named, BySlug):
            assert parse(named.slug) == named
            assert not named.slug.startswith("~")
            assert not {"", ".", ".."} & set(named.slug.split("/"))


@given(HOSTS, NAMES, NAMES)
def test_every_spelling_of_a_slug_means_the_same(host: str, owner: str, name: str) -> None:
    slug = f"{host}/{owner}/{name}"
    assert check_name(name) == name
    for spelling in (slug, slug.replace("/", "%2F"), lengthen_slug(slug)):
        assert parse_project(spelling) == BySlug(slug)


def test_the_long_spelling_is_that_of_addresses() -> None:
    assert lengthen_slug("gh/acme/app") == "github/acme/app"
    assert lengthen_slug("local/app") == "local/app"

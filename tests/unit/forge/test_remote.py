"""Addresses of remotes, as git accepts them."""

import pytest

from penstock.forge.remote import name_repository, parse_remote, without_credentials


@pytest.mark.parametrize(
    ("url", "organization", "name"),
    [
        ("https://github.com/acme/app.git", "gh/acme", "app"),
        ("https://user:secret@github.com/acme/app", "gh/acme", "app"),
        ("git@github.com:acme/app.git", "gh/acme", "app"),
        ("ssh://git@github.com:22/acme/app.git/", "gh/acme", "app"),
        ("git@bitbucket.org:acme/app.git", "bb/acme", "app"),
        ("https://gitlab.com/group/sub/app.git", "gl/group/sub", "app"),
        ("git@git.example.com:acme/app.git", "git.example.com/acme", "app"),
        ("/srv/git/app.git", "local", "app"),
        ("file:///srv/git/app.git", "local", "app"),
        ("../app", "local", "app"),
    ],
)
def test_owner_and_name_are_read_from_every_form(url: str, organization: str, name: str) -> None:
    remote = parse_remote(url)
    assert (remote.organization, remote.name) == (organization, name)


def test_credentials_are_never_shown() -> None:
    assert without_credentials("https://user:secret@host/x.git") == "https://host/x.git"
    assert without_credentials("git@host:x.git") == "git@host:x.git"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/app.git", "github.com/acme/app"),
        ("https://ada:secret@git.example.com:8443/a/b/c/", "git.example.com/a/b/c"),
        ("git@github.com:acme/app.git", "github.com/acme/app"),
        ("ssh://git@example.com/app.git", "example.com/app"),
        ("file:///srv/git/app.git", "localhost/srv/git/app"),
        ("/srv/git/app.git", "localhost/srv/git/app"),
        ("https://example.com", ""),
        ("", ""),
    ],
)
def test_a_repository_has_one_name_whatever_the_way_to_it(url: str, name: str) -> None:
    assert name_repository(url) == name

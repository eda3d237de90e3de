"""Tests of what is known of well-known hosts."""

import base64

import pytest

from penstock.forge.known_hosts import HOST_KEYS, find_host_key, spell_for_ssh
from penstock.forge.ssh_key import find_fingerprints, make_ssh_key, read_ssh_key

PUBLISHED = {
    "github.com": "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
    "gitlab.com": "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
    "bitbucket.org": "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM",
}


def test_the_keys_are_those_whose_fingerprints_the_hosts_publish() -> None:
    found = {host: find_fingerprints(base64.b64decode(key))[1] for host, key in HOST_KEYS.items()}
    assert found == PUBLISHED


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("https://github.com/acme/app.git", "git@github.com:acme/app.git"),
        ("https://github.com/acme/app", "git@github.com:acme/app.git"),
        ("https://gitlab.com/acme/team/app/", "git@gitlab.com:acme/team/app.git"),
        ("git@bitbucket.org:acme/app.git", "git@bitbucket.org:acme/app.git"),
        ("ssh://git@git.example.com:22/app.git", "ssh://git@git.example.com:22/app.git"),
        ("https://git.example.com/acme/app.git", None),
        ("http://github.com/acme/app.git", None),
        ("/srv/git/app.git", None),
        ("", None),
    ],
)
def test_an_address_is_spelled_for_ssh_where_that_is_known(url: str, spelled: str | None) -> None:
    assert spell_for_ssh(url) == spelled


def test_only_well_known_hosts_have_a_line() -> None:
    assert find_host_key("git@github.com:acme/app.git").startswith("github.com ssh-ed25519 AAAA")
    assert find_host_key("ssh://git@git.example.com/app.git") == ""


def test_a_key_that_was_made_is_one_and_another_each_time() -> None:
    (first, public), (second, _) = make_ssh_key(), make_ssh_key()
    read = read_ssh_key(first.encode())
    assert (read.md5, read.sha256) == find_fingerprints(public)
    assert first != second

"""Addresses of repositories: usual forms are understood, what git would take for something else is not."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.forge.address import Policy, Protocol, read_address
from penstock.model.errors import ForbiddenError, InvalidError

EVERYWHERE = Policy(protocols=frozenset(Protocol))


@pytest.mark.parametrize(
    ("url", "protocol", "clean", "host"),
    [
        ("https://github.com/acme/app.git", "https", "https://github.com/acme/app.git", "github.com"),
        ("HTTPS://GitHub.com:8443/acme/app", "https", "https://github.com:8443/acme/app", "github.com"),
        ("https://me:secret@host.example/x", "https", "https://host.example/x", "host.example"),
        ("https://[::1]:8080/x", "https", "https://[::1]:8080/x", "::1"),
        ("ssh://git@host.example:22/x.git", "ssh", "ssh://git@host.example:22/x.git", "host.example"),
        ("ssh://git:secret@host.example/x.git", "ssh", "ssh://git@host.example/x.git", "host.example"),
        ("git@host.example:acme/app.git", "ssh", "git@host.example:acme/app.git", "host.example"),
        ("host:app", "ssh", "host:app", "host"),
        ("/srv/git/app.git", "file", "file:///srv/git/app.git", ""),
        ("file:///srv/git/app.git", "file", "file:///srv/git/app.git", ""),
    ],
)
def test_every_usual_form_is_understood(url: str, protocol: str, clean: str, host: str) -> None:
    address, _ = read_address(url, EVERYWHERE)
    assert (address.protocol, address.url, address.host) == (protocol, clean, host)


def test_a_password_is_parted_from_its_address() -> None:
    address, password = read_address("https://me:s%2Fcret@host.example/x", EVERYWHERE)
    assert (address.user, password, address.origin) == ("me", "s/cret", "https://host.example/")


@pytest.mark.parametrize(
    "url",
    [
        "", "app", "../app", "x" * 5000, "ext::sh -c 'touch x'", "ext::x", "fd::17", "git://host/x",
        "ftp://host/x", "--upload-pack=x", "-oProxyCommand=x:y", "ssh://-oProxyCommand=x/y", "-u@host:x",
        "ssh://-x@host/y", "host:-x", "https://host", "https:///x", "https://host:port/x", "https://[x/y",
        "https://host/a b", "https://host/a\nb", "file://host/x", "transport::https://host/x",
        "https://%2d/x", "https://host/\ud800",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidError):
        read_address(url, EVERYWHERE)


@pytest.mark.parametrize("url", ["http://host/x", "/srv/app", "file:///srv/app"])
def test_only_allowed_protocols_are_followed(url: str) -> None:
    with pytest.raises(ForbiddenError, match="only https, ssh"):
        read_address(url, Policy())


def test_local_repositories_stay_below_the_allowed_folders(tmp_path: Path) -> None:
    allowed = tmp_path / "git"
    (allowed / "app").mkdir(parents=True)
    (allowed / "out").symlink_to(tmp_path)
    policy = Policy(protocols=frozenset({Protocol.FILE}), folders=(allowed,))
    assert read_address(str(allowed / "app"), policy)[0].protocol is Protocol.FILE
    for path in (tmp_path / "other", allowed / "../other", allowed / "out/other", "/", f"{allowed}/%2e%2e/x"):
        with pytest.raises(ForbiddenError, match="only below"):
            read_address(f"file://{path}", policy)


HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
"""How an address begins that git hands to another program (git: gitremote-helpers)."""

PIECES = st.sampled_from(
    ["https://", "ssh://", "file://", "ext::", "-", "@", ":", "/", "host", "..", "%00", "[", "]"]
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map("".join)))
def test_whatever_is_given_is_an_address_or_refused(url: str) -> None:
    try:
        address, _ = read_address(url, EVERYWHERE)
    except (InvalidError, ForbiddenError):
        return
    assert not address.url.startswith("-")
    assert not HELPER.match(address.url)
    assert not address.host.startswith("-")

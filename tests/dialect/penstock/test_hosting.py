"""What a project needs of its git host: taken, shown without secrets, removed; by administrators."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from penstock.model.access import Role
from tests.support.keys import make_key
from tests.support.own_api import OwnSite

TOKEN = "t0ken-of-the-host"
CREDENTIALS, STATUSES = "projects/gh%2Facme%2Fapp/credentials", "projects/gh%2Facme%2Fapp/statuses"
NONE = {"user": "", "token": False, "private_key": False, "known_hosts": ""}
NOWHERE = {"host": "", "api": "", "repository": ""}


def test_credentials_are_taken_and_never_told(site: OwnSite) -> None:
    assert site.own("GET", CREDENTIALS) == NONE
    taken = site.own("PUT", CREDENTIALS, {"user": "bot", "token": TOKEN})
    assert taken == {**NONE, "user": "bot", "token": True}
    assert site.own("GET", CREDENTIALS) == taken
    body = {"private_key": make_key().decode(), "known_hosts": "git.example.com ssh-ed25519 AAAA\r\n"}
    assert site.own("PUT", CREDENTIALS, body) == {
        **NONE,
        "private_key": True,
        "known_hosts": "git.example.com ssh-ed25519 AAAA\n",
    }
    site.own("DELETE", CREDENTIALS, status=204)
    assert site.own("GET", CREDENTIALS) == NONE


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user": "bot"},
        {"token": "a\nb"},
        {"token": " "},
        {"token": "x", "user": "a:b"},
        {"private_key": "no key"},
        {"token": 7},
        {"token": "x", "more": 1},
        {"token": "x" * 30_000},
    ],
)
def test_credentials_that_cannot_be_are_refused(site: OwnSite, body: object) -> None:
    reply = site.ask_own("PUT", CREDENTIALS, body)
    assert reply.status in {400, 413}
    assert site.own("GET", CREDENTIALS) == NONE


def test_a_key_with_a_passphrase_is_refused_with_the_way_out(site: OwnSite) -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    reply = site.ask_own("PUT", CREDENTIALS, {"private_key": locked.decode()})
    assert (reply.status, "passphrase" in reply.json()["message"]) == (400, True)


def test_statuses_go_where_they_are_said_to(site: OwnSite) -> None:
    assert site.own("GET", STATUSES) == NOWHERE
    github = {"host": "github", "api": "https://api.github.com", "repository": "acme/app"}
    assert site.own("PUT", STATUSES, {"token": TOKEN}) == github
    assert site.own("GET", STATUSES) == github
    own = {"host": "gitea", "api": "https://git.example.com/api/v1", "repository": "a/b"}
    assert site.own("PUT", STATUSES, {"token": TOKEN, **own}) == own
    site.own("DELETE", STATUSES, status=204)
    assert site.own("GET", STATUSES) == NOWHERE
    assert site.ask_own("PUT", STATUSES, {"token": TOKEN, "host": "svn"}).status == 400


def test_only_administrators_of_the_project_come_near_them(site: OwnSite) -> None:
    for role, status in ((Role.MEMBER, 403), (Role.VIEWER, 403), (None, 404)):
        token = site.add_person(f"p{status}{role}", role)
        for place, body in ((CREDENTIALS, {"token": TOKEN}), (STATUSES, {"token": TOKEN})):
            assert site.ask_own("GET", place, token=token).status == status
            assert site.ask_own("PUT", place, body, token=token).status == status
            assert site.ask_own("DELETE", place, token=token).status == status
    assert site.own("GET", CREDENTIALS) == NONE


def test_what_is_set_is_in_the_audit_log_without_secrets(site: OwnSite) -> None:
    site.own("PUT", CREDENTIALS, {"token": TOKEN})
    site.own("PUT", STATUSES, {"token": TOKEN})
    acts = site.own("GET", "organizations/gh%2Facme/audit")
    assert {"project.credentials", "project.host-account"} <= {act["action"] for act in acts["items"]}
    assert TOKEN not in json.dumps(acts)

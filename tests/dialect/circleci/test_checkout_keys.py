"""Checkout keys: made here, shown by their public halves, the newest one used by jobs."""

from typing import Any
from urllib.parse import quote

import pytest

from penstock.engine.accounts import disable_user
from penstock.engine.checkout_keys import MOST_KEYS
from penstock.engine.organizations import remove_member
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import set_credentials
from penstock.engine.projects import move_source
from penstock.forge.known_hosts import HOST_KEYS
from penstock.forge.ssh_key import read_ssh_key
from penstock.model.access import Role
from penstock.model.credentials import CloneCredentials
from penstock.store import users
from penstock.wire.messages import Source, SourceCredentials
from tests.support.circle import APP, CircleSite

KEYS = f"project/{APP}/checkout-key"
OLD = f"/api/v1.1/{KEYS}"
SSH = "git@github.com:acme/app.git"


def make(site: CircleSite, kind: str = "deploy-key", token: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = site.post(KEYS, {"type": kind}, 201, token=token)
    return made


def preferred(site: CircleSite) -> list[str]:
    return [each["fingerprint"] for each in site.get(KEYS)["items"] if each["preferred"]]


def source_of_a_job(site: CircleSite, branch: str = "main") -> Source:
    site.trigger(branch=branch)
    source = site.worker.claim(2)[0].source
    assert source is not None
    return source


def lent(site: CircleSite) -> SourceCredentials:
    credentials = source_of_a_job(site).credentials
    assert credentials is not None
    return credentials


def find_user(site: CircleSite, login: str) -> str:
    with site.parts.db.read() as tx:
        [user] = users.users_by_login(tx, {login}).values()
    return user.uuid


def test_a_key_is_shown_by_its_public_half_and_two_fingerprints(site: CircleSite) -> None:
    made = make(site)
    assert set(made) == {"public-key", "type", "fingerprint", "preferred", "created-at"}
    assert (made["type"], made["preferred"]) == ("deploy-key", True)
    kind, blob, comment = made["public-key"].split(" ")
    assert (kind, comment) == ("ssh-ed25519", f"penstock:{APP}")
    key = read_ssh_key(lent(site).key.encode())
    assert made["fingerprint"] == key.md5
    [shown] = site.get(f"{KEYS}?digest=sha256")["items"]
    assert shown == {**made, "fingerprint": key.sha256}
    assert site.get(f"{KEYS}?digest=md5")["items"] == site.get(KEYS)["items"] == [made]
    assert site.get(f"{KEYS}/{made['fingerprint']}") == made
    assert site.get(f"{KEYS}/{quote(key.sha256, safe='')}") == shown
    assert blob in shown["public-key"]


def test_the_older_api_has_the_same_keys(site: CircleSite) -> None:
    made = site.succeed("POST", OLD, {"type": "deploy-key"}, 201)
    assert set(made) == {"public_key", "type", "fingerprint", "preferred", "time"}
    assert site.succeed("GET", OLD, None, 200) == [made]
    assert site.succeed("GET", f"{OLD}/{made['fingerprint']}", None, 200) == made
    assert preferred(site) == [made["fingerprint"]]
    assert site.succeed("DELETE", f"{OLD}/{made['fingerprint']}", None, 200) == {"message": "ok"}
    assert site.succeed("GET", OLD, None, 200) == []


def test_jobs_speak_ssh_to_a_known_host_with_the_newest_key(site: CircleSite) -> None:
    before = source_of_a_job(site)
    assert (before.url, before.credentials) == ("https://github.com/acme/app.git", None)
    first = make(site)
    source = source_of_a_job(site)
    assert (source.url, source.origin) == (SSH, SSH)
    assert lent(site).known_hosts == f"github.com ssh-ed25519 {HOST_KEYS['github.com']}\n"
    second = make(site)
    assert preferred(site) == [second["fingerprint"]]
    assert read_ssh_key(lent(site).key.encode()).md5 == second["fingerprint"]
    site.succeed("DELETE", f"/api/v2/{KEYS}/{second['fingerprint']}", None, 200)
    assert preferred(site) == [first["fingerprint"]]
    assert read_ssh_key(lent(site).key.encode()).md5 == first["fingerprint"]
    site.succeed("DELETE", f"/api/v2/{KEYS}/{first['fingerprint']}", None, 200)
    assert source_of_a_job(site) == before


def test_its_private_half_is_masked_and_in_no_answer(site: CircleSite) -> None:
    made = make(site)
    site.trigger()
    [assignment] = site.worker.claim(1)
    assert assignment.source is not None
    assert assignment.source.credentials is not None
    lines = [line for line in assignment.source.credentials.key.splitlines() if "-" not in line]
    assert lines
    assert set(lines) <= set(assignment.secrets)
    for path in (KEYS, f"{KEYS}/{made['fingerprint']}", f"project/{APP}"):
        body = site.call("GET", f"/api/v2/{path}").body.decode()
        assert not [line for line in lines if line in body]


def test_strangers_code_gets_no_key(site: CircleSite) -> None:
    make(site)
    site.code.configs["pull/7/head"] = site.code.configs["main"]
    site.code.foreign.add("pull/7/head")
    source = source_of_a_job(site, "pull/7/head")
    assert (source.url, source.credentials) == ("https://github.com/acme/app.git", None)


def test_credentials_set_by_hand_go_first_and_known_hosts_go_along(site: CircleSite) -> None:
    made = make(site)
    given = CloneCredentials(token="t0ken")
    set_credentials(site.parts, site.sealer, SERVER, site.project, given)
    assert preferred(site) == []
    source = source_of_a_job(site)
    assert (source.url, source.credentials) == (site.project.url, SourceCredentials(token="t0ken"))
    hosts = CloneCredentials(known_hosts="github.com ssh-ed25519 AAAA")
    set_credentials(site.parts, site.sealer, SERVER, site.project, hosts)
    assert preferred(site) == [made["fingerprint"]]
    assert lent(site).known_hosts == "github.com ssh-ed25519 AAAA\n"


@pytest.mark.parametrize("gone", ["removed", "disabled"])
def test_a_person_s_key_is_used_while_they_belong_here(site: CircleSite, gone: str) -> None:
    deploy = make(site)
    ada = site.add_person("ada", Role.ADMIN)
    own = make(site, "user-key", ada)
    assert own["type"] == "github-user-key"
    assert preferred(site) == [own["fingerprint"]]
    if gone == "removed":
        remove_member(site.parts, SERVER, site.acme, find_user(site, "ada"))
    else:
        disable_user(site.parts, SERVER, find_user(site, "ada"))
    assert preferred(site) == [deploy["fingerprint"]]
    assert read_ssh_key(lent(site).key.encode()).md5 == deploy["fingerprint"]


def test_admins_make_keys_and_everybody_takes_back_their_own(site: CircleSite) -> None:
    ada, mia = site.add_person("ada", Role.ADMIN), site.add_person("mia", Role.MEMBER)
    site.post(KEYS, {"type": "user-key"}, 403, token=mia)
    deploy, own = make(site, token=ada), make(site, "user-key", ada)
    assert len(site.get(KEYS, token=mia)["items"]) == 2
    for key in (deploy, own):
        site.succeed("DELETE", f"/api/v2/{KEYS}/{key['fingerprint']}", None, 403, token=mia)
    site.lab.pass_time(1)
    site.succeed("PUT", f"/api/penstock/v1/organizations/{site.acme.uuid}/members/{find_user(site, 'ada')}",
                 {"role": "member"}, 200, headers={"authorization": f"Bearer {site.token}"})  # fmt: skip
    site.succeed("DELETE", f"/api/v2/{KEYS}/{deploy['fingerprint']}", None, 403, token=ada)
    site.succeed("DELETE", f"/api/v2/{KEYS}/{own['fingerprint']}", None, 200, token=ada)
    assert preferred(site) == [deploy["fingerprint"]]


@pytest.mark.parametrize(
    "text",
    ["00:01", "x", "SHA256:", "SHA256:%2F%2F", "%00", "%ed%a0%80", "a" * 5000, "..", "%2e%2e", "%C3%A9"],
)
def test_what_is_no_fingerprint_is_not_found(site: CircleSite, text: str) -> None:
    make(site)
    for method in ("GET", "DELETE"):
        assert site.call(method, f"/api/v2/{KEYS}/{text}").status in {400, 404}
    assert len(site.get(KEYS)["items"]) == 1


def test_another_project_s_key_is_not_found(site: CircleSite) -> None:
    made = make(site)
    other = site.add_project("other.js")
    path = f"/api/v2/project/github%2Facme%2Fother.js/checkout-key/{made['fingerprint']}"
    unknown = {"message": "Checkout key not found."}
    assert site.succeed("GET", path, None, 404) == unknown
    assert site.succeed("DELETE", path, None, 404) == unknown
    assert site.get(f"project/{other.slug}/checkout-key")["items"] == []
    assert len(site.get(KEYS)["items"]) == 1


@pytest.mark.parametrize("body", [{}, [], {"type": "rsa"}, {"type": None}, {"type": ["deploy-key"]}])
def test_what_is_no_kind_of_key_is_refused(site: CircleSite, body: object) -> None:
    for path in (f"/api/v2/{KEYS}", OLD):
        assert set(site.succeed("POST", path, body, 400)) == {"message"}


@pytest.mark.parametrize("query", ["digest=sha1", "digest=", "page-token=x"])
def test_what_is_no_query_is_refused(site: CircleSite, query: str) -> None:
    assert site.call("GET", f"/api/v2/{KEYS}?{query}").status == 400


def test_a_project_has_so_many_keys_and_no_more(site: CircleSite) -> None:
    for _ in range(MOST_KEYS):
        make(site)
    assert str(MOST_KEYS) in site.post(KEYS, {"type": "deploy-key"}, 400)["message"]


@pytest.mark.parametrize("url", ["https://git.example.com/acme/app.git", "/srv/git/app.git"])
def test_a_key_needs_an_address_that_ssh_knows(site: CircleSite, url: str) -> None:
    made = make(site)
    move_source(site.parts, SERVER, site.project, url=url)
    assert "ssh" in site.post(KEYS, {"type": "deploy-key"}, 400)["message"]
    assert preferred(site) == []
    assert source_of_a_job(site).credentials is None
    move_source(site.parts, SERVER, site.project, url="ssh://git@git.example.com:2222/acme/app.git")
    assert preferred(site) == [made["fingerprint"]]
    source = source_of_a_job(site)
    assert source.url == "ssh://git@git.example.com:2222/acme/app.git"
    assert source.credentials is not None
    assert source.credentials.known_hosts == ""

"""Keys of a project reach the jobs that ask for them, and never come back."""

import pytest

from penstock.engine import ssh_keys
from penstock.model.access import Role, Scope
from tests.support.circle import APP, CircleSite
from tests.support.keys import known_key, make_key

KEYS = f"/api/v1.1/project/{APP}/ssh-key"
DEPLOY = """\
version: 2.1
jobs:
  all: {machine: true, steps: [add_ssh_keys]}
  one: {machine: true, steps: [{add_ssh_keys: {fingerprints: ["%s"]}}]}
  none: {machine: true, steps: [checkout]}
workflows: {main: {jobs: [all, one, none]}}
"""


def add(site: CircleSite, number: int, host: str | None = None, status: int = 200) -> None:
    body = {"private_key": make_key(number).decode(), "hostname": host}
    site.succeed("POST", KEYS, body, status)


def test_jobs_get_the_keys_they_ask_for(site: CircleSite) -> None:
    add(site, 1, "example.com")
    add(site, 2)
    add(site, 2)
    site.code.configs["main"] = DEPLOY % known_key(2).md5
    site.trigger()
    given = {each.plan.name: each.keys for each in site.worker.claim(3)}
    assert given["all"] == (known_key(1, "example.com"), known_key(2))
    assert given["one"] == (known_key(2),)
    assert given["none"] == ()


def test_a_key_goes_by_its_fingerprint_and_host(site: CircleSite) -> None:
    add(site, 1, "example.com")
    add(site, 1)
    wrong = {"fingerprint": known_key(1).sha256, "hostname": "example.org"}
    assert site.succeed("DELETE", KEYS, wrong, 404) == {"message": "SSH key not found."}
    site.succeed("DELETE", KEYS, {"fingerprint": known_key(1).md5, "hostname": "example.com"}, 200)
    site.succeed("DELETE", KEYS, {"fingerprint": known_key(1).md5, "hostname": "example.com"}, 404)
    with site.parts.db.read() as tx:
        assert [key.host for key in ssh_keys.list_ssh_keys(tx, site.project.id)] == [""]
    site.succeed("DELETE", KEYS, {"fingerprint": known_key(1).sha256}, 200)
    with site.parts.db.read() as tx:
        assert ssh_keys.list_ssh_keys(tx, site.project.id) == []


@pytest.mark.parametrize(
    "body",
    [{}, {"private_key": "no key"}, {"private_key": ""}, {"private_key": 7}, {"private_key": "x" * 70_000},
     {"private_key": "é"}, {"private_key": make_key().decode(), "hostname": "a b"},
     {"private_key": make_key().decode(), "hostname": "../x"}, []],
)  # fmt: skip
def test_what_is_no_key_is_refused(site: CircleSite, body: object) -> None:
    assert set(site.succeed("POST", KEYS, body, 400)) == {"message"}


def test_only_who_may_change_variables_gives_keys(site: CircleSite) -> None:
    body = {"private_key": make_key().decode()}
    for token, status in (
        (site.add_person("viewer", Role.VIEWER), 403),
        (site.add_person("runner", Role.MEMBER, Scope.RUN), 403),
        (site.add_person("outsider"), 404),
        (site.add_person("writer", Role.MEMBER, Scope.WRITE), 200),
    ):
        assert site.call("POST", KEYS, body, token=token).status == status


def test_there_may_be_so_many_keys(site: CircleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_keys, "MOST_KEYS", 2)
    add(site, 1)
    add(site, 2)
    add(site, 2)
    add(site, 3, status=400)


def test_a_job_cannot_be_entered_and_says_so(site: CircleSite) -> None:
    site.trigger()
    number = site.build().number
    for action in ("ssh", "ssh-users"):
        refused = site.succeed("POST", f"/api/v1.1/project/{APP}/{number}/{action}", None, 400)
        assert "cannot be entered by SSH" in refused["message"]

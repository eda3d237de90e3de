"""Webhooks of a project as clients set them up."""

import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from penstock.engine.principal import SERVER
from penstock.engine.projects import delete_project
from penstock.model.access import Role, Scope
from penstock.store import secrets
from penstock.store.schema import metadata
from tests.support.circle import CircleSite
from tests.support.webhook_site import BOTH, SECRET, URL, WebhookSite


@pytest.fixture
def hooks(site: CircleSite) -> WebhookSite:
    return WebhookSite(site)


def change(hooks: WebhookSite, made: dict[str, Any], body: object, status: int = 200) -> Any:  # noqa: ANN401 - whatever was answered
    return hooks.site.succeed("PUT", f"/api/v2/webhook/{made['id']}", body, status)


def listed(hooks: WebhookSite) -> list[dict[str, Any]]:
    found = hooks.site.get(f"webhook?scope-id={hooks.site.project.uuid}&scope-type=project")
    assert found["next_page_token"] is None
    items: list[dict[str, Any]] = found["items"]
    return items


def test_a_webhook_is_made_listed_changed_and_deleted(hooks: WebhookSite) -> None:
    made = hooks.create()
    assert made == {
        "id": made["id"],
        "scope": {"id": hooks.site.project.uuid, "type": "project"},
        "name": "chat",
        "events": list(BOTH),
        "url": URL,
        "verify-tls": True,
        "signing-secret": "****",
        "created-at": made["created-at"],
        "updated-at": made["created-at"],
    }
    assert made["created-at"].endswith("Z")
    assert hooks.site.get(f"webhook/{made['id']}") == made
    assert listed(hooks) == [made]
    hooks.site.lab.clock.advance(5)
    wish = {"name": "other", "events": ["job-completed"], "url": "https://example.com", "verify-tls": False}
    changed = change(hooks, made, wish)
    assert changed.pop("updated-at") > made["created-at"]
    del made["updated-at"]
    assert changed == {**made, **wish}
    assert hooks.site.succeed("DELETE", f"/api/v2/webhook/{made['id']}", None, 200)["message"]
    assert listed(hooks) == []
    for method in ("GET", "PUT", "DELETE"):
        hooks.site.succeed(method, f"/api/v2/webhook/{made['id']}", None, 404)


def test_a_secret_is_sealed_and_never_told(hooks: WebhookSite) -> None:
    site = hooks.site
    made = hooks.create()
    assert SECRET not in msgspec.json.encode([made, listed(hooks), change(hooks, made, {})]).decode()
    with site.parts.db.read() as tx:
        rows = [repr(row) for table in metadata.sorted_tables for row in tx.execute(select(table))]
    assert not any(SECRET in row for row in rows)
    assert change(hooks, made, {"signing-secret": ""})["signing-secret"] == ""
    assert _count_secrets(site) == 0
    assert change(hooks, made, {"signing-secret": "new"})["signing-secret"] == "****"
    assert _count_secrets(site) == 1
    site.succeed("DELETE", f"/api/v2/webhook/{made['id']}", None, 200)
    assert _count_secrets(site) == 0


def test_what_was_read_may_be_written_back(hooks: WebhookSite) -> None:
    made = hooks.create()
    changed = change(hooks, made, {**made, "name": "other"})
    assert (changed["name"], changed["signing-secret"]) == ("other", "****")
    _run(hooks)
    hooks.carry()
    assert all(_is_signed(hooks, number, SECRET) for number in range(len(hooks.sent)))


@pytest.mark.parametrize("field", ["name", "url", "signing-secret"])
@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "a\\udfffb"])
def test_texts_that_are_none_are_no_fault_of_ours(hooks: WebhookSite, field: str, text: str) -> None:
    body = {
        "name": "n",
        "events": ["job-completed"],
        "url": URL,
        "verify-tls": True,
        "signing-secret": "",
        "scope": {"id": hooks.site.project.uuid, "type": "project"},
        field: "TEXT",
    }
    raw = msgspec.json.encode(body).replace(b"TEXT", text.encode())
    reply = hooks.site.send("POST", "/api/v2/webhook", raw, {"circle-token": hooks.site.token})
    accepted = field == "signing-secret" and text == "\\u0000"
    assert reply.status == (201 if accepted else 400), reply.body


def test_what_is_shown_in_the_place_of_a_secret_is_none(hooks: WebhookSite) -> None:
    assert "give the secret itself" in hooks.create(400, signing_secret="****")["message"]
    made = hooks.create(signing_secret="")
    change(hooks, made, {"signing-secret": "****"}, 400)
    assert listed(hooks)[0]["signing-secret"] == ""


def test_a_webhook_without_a_secret_says_so(hooks: WebhookSite) -> None:
    assert hooks.create(signing_secret="")["signing-secret"] == ""


def test_a_project_has_five_at_most(hooks: WebhookSite) -> None:
    made = [hooks.create(name=str(number)) for number in range(5)]
    assert "may have 5 webhooks" in hooks.create(400)["message"]
    hooks.site.succeed("DELETE", f"/api/v2/webhook/{made[0]['id']}", None, 200)
    hooks.create()
    assert [each["name"] for each in listed(hooks)] == ["1", "2", "3", "4", "chat"]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "n" * 256},
        {"name": "two\nlines"},
        {"name": "zero\0"},
        {"name": 5},
        {"name": None},
        {"events": []},
        {"events": ["ping"]},
        {"events": ["job-completed"] * 101},
        {"events": "job-completed"},
        {"events": None},
        {"url": "http://example.com/"},
        {"url": "https://user:word@example.com/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://example.com:25/"},
        {"url": "nonsense"},
        {"url": ""},
        {"url": "https://example.com/" + "x" * 2000},
        {"verify_tls": "yes"},
        {"verify_tls": None},
        {"signing_secret": "s" * 1001},
        {"signing_secret": None},
        {"signing_secret": 7},
    ],
)
def test_what_cannot_be_is_refused_whole(hooks: WebhookSite, fields: dict[str, object]) -> None:
    assert hooks.create(400, **fields)["message"]
    assert listed(hooks) == []
    made = hooks.create()
    wrong = {name.replace("_", "-"): value for name, value in fields.items()}
    assert change(hooks, made, {"name": "half", **wrong}, 400)["message"]
    assert listed(hooks) == [made]


@pytest.mark.parametrize(
    "scope",
    [None, {}, {"id": "x", "type": "project"}, {"type": "project"}, {"id": 5, "type": "project"}, "project"],
)
def test_a_scope_is_a_project(hooks: WebhookSite, scope: object) -> None:
    assert hooks.create(400, scope=scope)["message"]


def test_another_scope_is_none(hooks: WebhookSite) -> None:
    site = hooks.site
    hooks.create(400, scope={"id": site.acme.uuid, "type": "organization"})
    hooks.create(404, scope={"id": site.acme.uuid, "type": "project"})
    for query in (
        "",
        "?scope-id=x",
        f"?scope-id={site.project.uuid}",
        "?scope-type=project",
        f"?scope-id={site.project.uuid}&scope-type=org",
        "?scope-id=x&scope-type=project",
        f"?scope-id={site.project.uuid}&scope-type=project&page-token=x",
    ):
        site.succeed("GET", f"/api/v2/webhook{query}", None, 400)


@pytest.mark.parametrize("missing", ["name", "events", "url", "verify-tls", "signing-secret", "scope"])
def test_every_field_of_a_new_one_is_required(hooks: WebhookSite, missing: str) -> None:
    body = {
        "name": "chat",
        "events": ["job-completed"],
        "url": URL,
        "verify-tls": True,
        "signing-secret": "",
        "scope": {"id": hooks.site.project.uuid, "type": "project"},
    }
    del body[missing]
    assert missing in hooks.site.post("webhook", body, 400)["message"]


def test_an_id_that_is_none_is_a_mistake(hooks: WebhookSite) -> None:
    for wrong in ("x", "0", "00000000-0000-0000-0000-00000000000g"):
        for method in ("GET", "PUT", "DELETE"):
            hooks.site.succeed(method, f"/api/v2/webhook/{wrong}", None, 400)


def test_members_set_webhooks_up_and_viewers_do_not_see_them(hooks: WebhookSite) -> None:
    site = hooks.site
    made = hooks.create()
    member, viewer = site.add_person("member", Role.MEMBER), site.add_person("viewer", Role.VIEWER)
    reader = site.add_person("reader", Role.MEMBER, Scope.READ)
    path = f"/api/v2/webhook/{made['id']}"
    site.succeed("PUT", path, {"name": "x"}, 200, token=member)
    site.succeed("GET", path, None, 403, token=viewer)
    site.succeed("GET", path, None, 200, token=reader)
    site.succeed("PUT", path, {"name": "y"}, 403, token=reader)
    site.succeed("DELETE", path, None, 403, token=reader)


def test_acts_are_noted_without_secrets(hooks: WebhookSite) -> None:
    made = hooks.create()
    change(hooks, made, {"signing-secret": "newer", "name": "x"})
    hooks.site.succeed("DELETE", f"/api/v2/webhook/{made['id']}", None, 200)
    reply = hooks.site.call(
        "GET", "/api/penstock/v1/audit", headers={"authorization": f"Bearer {hooks.site.token}"}, token=""
    )
    acts = [each for each in reply.json()["items"] if each["action"].startswith("webhook.")]
    assert [each["action"] for each in acts] == ["webhook.delete", "webhook.update", "webhook.create"]
    assert acts[1]["details"]["changed"] == ["name", "secret"]
    assert b"newer" not in reply.body
    assert SECRET.encode() not in reply.body


def test_a_deleted_project_has_no_webhooks(hooks: WebhookSite) -> None:
    made = hooks.create()
    delete_project(hooks.parts, SERVER, hooks.site.project)
    hooks.site.succeed("GET", f"/api/v2/webhook/{made['id']}", None, 404)
    query = f"?scope-id={hooks.site.project.uuid}&scope-type=project"
    hooks.site.succeed("GET", f"/api/v2/webhook{query}", None, 404)


def _count_secrets(site: CircleSite) -> int:
    with site.parts.db.read() as tx:
        return len(secrets.list_secrets(tx, secrets.of_project(site.project.id)))


def _run(hooks: WebhookSite) -> None:
    hooks.site.trigger()
    hooks.site.build()


def _is_signed(hooks: WebhookSite, number: int, secret: str) -> bool:
    parcel = hooks.sent[number]
    expected = hmac.new(secret.encode(), parcel.body, hashlib.sha256).hexdigest()
    return parcel.headers["circleci-signature"] == f"v1={expected}"

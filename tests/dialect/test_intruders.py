"""Whoever may not, learns nothing and changes nothing: on every route there is in the tables of dialects."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from penstock.api.circleci.times import show_seconds
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import PUBLIC, Route
from penstock.api.dialects import DIALECTS
from penstock.engine import usage_exports
from penstock.engine.access import RULES, Action
from penstock.engine.accounts import create_user, disable_user
from penstock.engine.agent_groups import create_group, issue_join_token
from penstock.engine.api_tokens import Wish, issue_token, revoke_token
from penstock.engine.authenticate import authenticate
from penstock.engine.contexts import add_restriction, set_context_variable
from penstock.engine.enlist import Enlisting, enlist_agent
from penstock.engine.organizations import create_organization, set_member
from penstock.engine.people_groups import create_group as create_people
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from penstock.engine.task_tokens import PURPOSE, sign_task_token
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from penstock.model.project import Organization, Project, definition_id
from penstock.store.restrictions import RestrictionKind
from penstock.store.schema import metadata
from penstock.store.users import Profile
from tests.support.circle import APP, CircleSite
from tests.support.http import Reply
from tests.support.keys import make_key
from tests.support.records import NOW
from tests.support.webhook_site import add_webhook

OPEN = {
    "GET /healthz": "says only that the process lives",
    "GET /readyz": "says whether requests should come here",
    "GET /metrics": "figures without names; a proxy keeps them from the world",
    "GET /pipelines/{place:rest}": "says how to look at a pipeline, not whether there is one",
    "POST /hooks/{project:rest}": "what comes is signed with a secret of the project, or refused",
    "POST /api/penstock/v1/login": "login and password are the credentials, and guesses are slowed down",
    "POST /api/v2/pipeline/continue": "the key in the body is the credential",
    "GET /oidc/.well-known/openid-configuration": "whoever verifies a token asks, and has no account here",
    "GET /oidc/.well-known/jwks-pub.json": "public keys",
    "GET /oidc/org/{id}/.well-known/openid-configuration": "the same for one organization",
    "GET /oidc/org/{id}/.well-known/jwks-pub.json": "public keys",
    "GET /output/usage/{id}/{file}": "the address is signed, and good for a while",
}
"""What anybody may call, and why. Nothing else is."""

OWN = {
    "GET /api/v2/pipeline": "of the projects the caller follows",
    "GET /api/v1.1/recent-builds": "the same",
}
"""Lists that are about the caller though their action is about a place."""

BY_USE_CASE = {"DELETE /api/penstock/v1/tokens/{id}": "every token may end itself, and only some others"}
"""Routes whose table asks for less than what they do, so that the use case decides."""

IDS = {
    "/pipeline/{id}": "pipeline",
    "/workflow/{id}": "workflow",
    "/jobs/{id}": "job",
    "/output/job/{id}": "job",
    "/output/usage/{id}": "export",
    "/pipeline-definitions/{id}": "definition",
    "/user/{id}": "user",
    "/pipelines/{id}": "pipeline",
    "/tokens/{id}": "api-token",
    "/agent-groups/{id}": "group",
    "/agents/{id}": "agent",
    "/runner/resource/{id}": "group",
    "/runner/token/{id}": "token",
    "/secrets/{id}": "secret",
    "/webhook/{id}": "webhook",
    "/webhooks/{id}": "webhook",
    "/schedule/{id}": "schedule",
    "/schedules/{id}": "schedule",
}
"""What `{id}` is the id of, by what stands before it."""

PROJECT = "<the project>"
"""What stands for the id of a project until there is one."""

QUERIES = {
    "GET /api/v3/runner/token": "?resource-class=acme/large",
    "GET /api/v2/context": "?owner-slug=gh/acme",
    "DELETE /api/v2/org/{org_id}/oidc-custom-claims": "?claims=ttl",
    "DELETE /api/v2/org/{org_id}/project/{project_id}/oidc-custom-claims": "?claims=ttl",
    "GET /api/v2/webhook": f"?scope-type=project&scope-id={PROJECT}",
}
"""What has to be asked for."""

OF_OWNERS = {"organization", "resource_class", "owner"}
"""What names an owner in a body."""

SCHEDULE = {
    "name": "nightly",
    "timetable": {"per-hour": 1, "hours-of-day": [0], "days-of-week": ["MON"]},
    "attribution-actor": "current",
    "parameters": {"branch": "main"},
}

BODIES: Mapping[str, Mapping[str, object]] = {
    "rerun": {"from_failed": True},
    "schedule": SCHEDULE,
    "ssh-key": {"private_key": make_key().decode(), "fingerprint": "SHA256:x"},
    "projects": {"url": "https://github.com/acme/new.git", "organization": "gh/acme"},
    "tokens": {"label": "new"},
    "organization": {"name": "new", "vcs_type": "github"},
    "project": {"name": "new"},
    "checkout-key": {"type": "deploy-key"},
    "envvar": {"name": "WORD", "value": "secret"},
    "{user}": {"role": "member"},
    "context": {"name": "new", "owner": {"slug": "gh/acme"}},
    "{variable}": {"value": "x"},
    "restrictions": {"restriction_type": "expression", "restriction_value": "true"},
    "groups": {"name": "new"},
    "statuses": {"token": "x", "host": "github"},
    "credentials": {"token": "x"},
    "agent-groups": {"name": "acme/new", "organization": "gh/acme"},
    "resource": {"resource_class": "acme/new"},
    "token": {"resource_class": "acme/large", "nickname": "new"},
    "decision": {"input": "{}"},
    "policy-bundle": {"policies": {}},
    "decision/settings": {"enabled": True},
    "webhook": {
        "name": "new",
        "events": ["job-completed"],
        "url": "https://example.com/",
        "verify-tls": True,
        "signing-secret": "",
        "scope": {"type": "project", "id": PROJECT},
    },
    "usage_export_job": {"start": show_seconds(NOW - 86_400_000), "end": show_seconds(NOW)},
}
"""Bodies that are good enough to get past the form, by the last word of a path; {} else."""

ROUTED = [(dialect, route) for dialect in DIALECTS for route in dialect.routes]
GUARDED = [(dialect, route) for dialect, route in ROUTED if route.access != PUBLIC]
ACTIONS = [(dialect, route) for dialect, route in GUARDED if route.access in set(Action)]
PLACED = [
    (dialect, route)
    for dialect, route in ACTIONS
    if isinstance(RULES[Action(route.access)].least, Role) and f"{route.method} {route.path}" not in OWN
]


def name_route(value: object) -> str:
    return f"{value.method} {value.path}" if isinstance(value, Route) else getattr(value, "name", "")


def _find_body(route: Route) -> Mapping[str, object]:
    """What a request of the route must say; the most words of its path count."""
    found = [name for name in BODIES if route.path.endswith(f"/{name}")]
    return BODIES[max(found, key=len)] if found else {}


class House(CircleSite):
    """A site with things to find, and people who have no business there."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.trigger()
        self.build()
        pipeline = self.lab.every_pipeline()[0]
        self.things = {
            "pipeline": pipeline.uuid,
            "workflow": self.lab.workflow(pipeline).uuid,
            "job": self.lab.job(pipeline, "build").uuid,
            "definition": definition_id(self.project),
            "user": self.get("me")["id"],
            "request": self.lab.job(pipeline, "hold").uuid,
            "project_id": self.project.uuid,
            "secret": new_id(),
            "schedule": self.post(f"project/{APP}/schedule", SCHEDULE, 201)["id"],
            "number": str(self.lab.job(pipeline, "build").number),
            "export": self._ask_export(),
            "decision": self._decide(),
        }
        self.things["webhook"], self.things["delivery"] = add_webhook(self)
        self.other = create_organization(self.parts, SERVER, host="gh", name="other")
        new = NewProject(name="theirs", url="https://github.com/other/theirs.git")
        self.theirs = create_project(self.parts, SERVER, self.other, new)
        self._make_contexts()
        self.people = self._make_people()
        self.machines = self._make_machines()

    def _make_contexts(self) -> None:
        """A context with a variable and a restriction, and a group."""
        set_context_variable(self.parts, self.sealer, SERVER, self.context, "PASSWORD", "x")
        made = add_restriction(self.parts, SERVER, self.context, RestrictionKind.PROJECT, self.project.uuid)
        people = create_people(self.parts, SERVER, self.acme, "deployers")
        self.things |= {"context": self.context, "restriction": made.uuid, "people": people.uuid}

    def _ask_export(self) -> str:
        wish = usage_exports.Wish(start=NOW - 1, end=NOW)
        return usage_exports.create_export(self.parts, SERVER, self.acme, wish).uuid

    def _decide(self) -> str:
        """A decision by a policy."""
        root = f"owner/{self.acme.uuid}/context/config"
        self.post(f"{root}/policy-bundle", {"policies": {"a": 'package org\npolicy_name["known"]'}}, 201)
        self.post(f"{root}/decision", {"input": "{}"})
        return str(self.get(f"{root}/decision")[0]["id"])

    def _make_people(self) -> dict[str, str]:
        """Tokens by what is wrong with them."""
        revoked = self.add_person("revoked", Role.OWNER)
        principal = authenticate(self.parts, revoked)
        assert principal is not None
        revoke_token(self.parts, SERVER, principal.token)
        return {
            "revoked": revoked,
            "disabled": self._add_disabled(),
            "outsider": self.add_person("outsider"),
            "foreign": self._add("foreign", self.other),
            "elsewhere": self._add("elsewhere", self.theirs),
            "reader": self.add_person("reader", Role.OWNER, Scope.READ),
            "viewer": self.add_person("viewer", Role.VIEWER),
        }

    def _make_machines(self) -> dict[str, str]:
        """Good tokens of machines, by what they may do."""
        group = create_group(self.parts, SERVER, self.acme, name="acme/large")
        join = issue_join_token(self.parts, SERVER, group.uuid, "test")
        agent = enlist_agent(self.parts, join.secret, Enlisting(name="box"))
        principal = authenticate(self.parts, self.token)
        assert agent is not None
        assert principal is not None
        self.things |= {"group": group.uuid, "agent": agent.agent.uuid}
        self.things |= {"token": join.token.uuid, "api-token": principal.token}
        self.trigger(branch="dev")
        task = self.worker.take()
        expiry = self.lab.clock.now() + 3_600_000
        held = sign_task_token(self.sealer.derive_keys(PURPOSE), task, expires_at=expiry)
        return {"join": join.secret, "exchange": agent.secret, "task": held}

    def _add_disabled(self) -> str:
        secret = self.add_person("disabled", Role.OWNER)
        principal = authenticate(self.parts, secret)
        assert principal is not None
        disable_user(self.parts, SERVER, principal.user.uuid)
        return secret

    def _add(self, login: str, limit: Organization | Project) -> str:
        """The token of an owner of both organizations, which is limited to the other one."""
        user = create_user(self.parts, SERVER, Profile(login=login))
        for each in (self.acme, self.other):
            set_member(self.parts, SERVER, each, user.uuid, Role.OWNER)
        wish = Wish(label="test", scopes=(Scope.ADMIN,), user=user.uuid, limit=limit)
        return issue_token(self.parts, SERVER, wish).secret

    def locate(self, route: Route, *, real: bool = True) -> str:
        """An address of the route: of what there is, or of what there is not in just the same form."""
        path = route.path
        for fragment, thing in IDS.items():
            if path.find(fragment) >= 0:
                path = path.replace(
                    fragment, fragment.replace("{id}", self.things[thing] if real else new_id())
                )
        values = {
            "{slug:3}": APP if real else "gh/acme/none",
            "{slug:2}": "gh/acme" if real else "gh/none",
            "{project}": "gh%2Facme%2Fapp" if real else "gh%2Facme%2Fnone",
            "{organization}": "gh%2Facme" if real else "gh%2Fnone",
            "{user}": self.things["user"],
            "{token}": self.things["token"] if real else new_id(),
            "{slug}": "gh%2Facme" if real else "gh%2Fnone",
            "{usage_export_job_id}": self.things["export"] if real else new_id(),
            "{file}": "usage-1.csv.gz",
            "{project_id}": self.things["project_id"] if real else new_id(),
            "{request}": self.things["request"] if real else new_id(),
            "{org_id}": self.acme.uuid if real else new_id(),
            "{context}": self.things["context"] if real else new_id(),
            "{restriction}": self.things["restriction"] if real else new_id(),
            "{variable}": "PASSWORD",
            "{people}": "deployers" if real else "none",
            "{group}": self.things["people"] if real else new_id(),
            "{number}": self.things["number"],
            "{owner}": self.acme.uuid if real else new_id(),
            "{policy_context}": "config",
            "{policy}": "known" if real else "unknown",
            "{decision}": self.things["decision"] if real else new_id(),
            "{branch:rest}": "main",
            "{path:rest}": "out/a%20b.html",
            "{vcs}": "github",
            "{name}": "TOKEN",
            "{fingerprint}": "00:01",
            "{kind}": "output",
            "{step}": "0",
            "{index}": "0",
            "{upload}": new_id(),
            "{blob:rest}": "artifacts/aa/bb",
            "{delivery}": self.things["delivery"] if real else new_id(),
        }
        unknown = set(re.findall(r"\{[^}]+\}", path)) - values.keys()
        assert not unknown, f"say here what {unknown} of {path} stands for, or in IDS"
        return re.sub(r"\{[^}]+\}", lambda found: values[found[0]], path)

    def ask_route(self, route: Route, token: str, *, real: bool = True) -> Reply:
        """The reply to a request whose form is right."""
        body = dict(_find_body(route)) if route.body is not None else None
        query = QUERIES.get(f"{route.method} {route.path}", "")
        if not real:
            query = query.replace("acme", "none")
            body = body and {
                name: _rename(value) if name in OF_OWNERS else value for name, value in body.items()
            }
        project = self.project.uuid if real else new_id()
        body = body and msgspec.json.decode(msgspec.json.encode(body).decode().replace(PROJECT, project))
        query = query.replace(PROJECT, project)
        path, headers = self.locate(route, real=real) + query, {"authorization": f"Bearer {token}"}
        return self.call(route.method, path, body, token=token, headers=headers)

    def fingerprint(self) -> str:
        """Another text whenever a row of the database is another; the last use of tokens does not count."""
        digest = sha256()
        with self.parts.db.read() as tx:
            for table in metadata.sorted_tables:
                if table.name != "api_tokens":
                    digest.update(repr(sorted(map(repr, tx.execute(select(table))))).encode())
        return digest.hexdigest()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all, since nobody here changes anything."""
    folder = tmp_path_factory.mktemp("intruders")
    made = House(f"sqlite:///{folder / 'penstock.db'}", folder)
    yield made
    made.close()


def carry(secret: str) -> list[dict[str, str]]:
    """The ways in which clients send a token, each in its header."""
    return [
        {"circle-token": secret},
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"Token {secret}"},
        {"authorization": f"Basic {secret}"},
        {"x-api-token": secret},
    ]


def test_only_these_routes_are_open_to_anybody() -> None:
    found = {f"{route.method} {route.path}" for _, route in ROUTED if route.access == PUBLIC}
    assert found == set(OPEN)


@pytest.mark.parametrize(("dialect", "route"), GUARDED, ids=name_route)
def test_without_a_good_token_there_is_one_answer_and_nothing_changes(
    house: House, dialect: Dialect, route: Route
) -> None:
    before = house.fingerprint()
    path = house.locate(route)
    want = house.send(route.method, path)
    assert want.status == 401
    bad = [
        "pst_" + "x" * 40,
        "nonsense",
        "!!!",
        "bm9uc2Vuc2U6",
        "x" * 10_000,
        "\u00e9",
        " ",
        ":",
        "' OR 1=1 --",
    ]
    for secret in (*bad, house.people["revoked"], house.people["disabled"]):
        for headers in carry(secret):
            reply = house.send(route.method, path, b"", headers)
            assert (reply.status, reply.body) == (401, want.body), (dialect.name, headers)
    for query in (
        "circle-token=wrong",
        f"circle-token={house.people['revoked']}",
        "circle-token=",
        "apiToken=x",
    ):
        assert house.send(route.method, f"{path}?{query}").status == 401
    assert house.send(route.method, path, b"{" * 2000).status == 401
    assert house.fingerprint() == before


@pytest.mark.parametrize(("dialect", "route"), PLACED, ids=name_route)
@pytest.mark.parametrize("who", ["outsider", "foreign", "elsewhere"])
def test_what_is_not_theirs_is_to_them_as_if_it_were_not(
    house: House, dialect: Dialect, route: Route, who: str
) -> None:
    before = house.fingerprint()
    token = house.people[who]
    real, unreal = house.ask_route(route, token), house.ask_route(route, token, real=False)
    assert real.status == unreal.status == 404, (dialect.name, real.body, unreal.body)
    assert real.body == unreal.body
    assert _without_id(real) == _without_id(unreal)
    assert house.fingerprint() == before


@pytest.mark.parametrize(("dialect", "route"), ACTIONS, ids=name_route)
def test_a_token_does_only_what_it_was_made_for(house: House, dialect: Dialect, route: Route) -> None:
    before = house.fingerprint()
    rule = RULES[Action(route.access)]
    reply = house.ask_route(route, house.people["reader"])
    narrow = rule.scope is not Scope.READ or name_route(route) in BY_USE_CASE
    assert (reply.status == 403) == narrow, (dialect.name, reply.body)
    if narrow:
        assert house.fingerprint() == before


@pytest.mark.parametrize(("dialect", "route"), PLACED, ids=name_route)
def test_a_viewer_only_looks(house: House, dialect: Dialect, route: Route) -> None:
    before = house.fingerprint()
    least = RULES[Action(route.access)].least
    reply = house.ask_route(route, house.people["viewer"])
    if least is not Role.VIEWER:
        assert reply.status == 403, (dialect.name, reply.body)
    if least is not Role.VIEWER or route.method == "GET":
        assert house.fingerprint() == before


@pytest.mark.parametrize(("dialect", "route"), GUARDED, ids=name_route)
def test_a_good_token_of_another_kind_opens_nothing(house: House, dialect: Dialect, route: Route) -> None:
    before = house.fingerprint()
    path = house.locate(route)
    tokens = house.machines | {"person": house.token}
    own = "person" if route.access in set(Action) else route.access
    for kind in tokens.keys() - {own}:
        for headers in carry(tokens[kind]):
            reply = house.send(route.method, path, b"{}", headers)
            assert reply.status in {401, 403}, (dialect.name, kind, reply.body)
    assert house.fingerprint() == before


TAKES_JSON = [
    (dialect, route)
    for dialect, route in ROUTED
    if route.body is not None and not route.raw and route.access in {*Action, PUBLIC}
]


@pytest.mark.parametrize(("dialect", "route"), TAKES_JSON, ids=name_route)
def test_a_body_that_is_none_changes_nothing(house: House, dialect: Dialect, route: Route) -> None:
    before = house.fingerprint()
    path, token = house.locate(route), {"circle-token": house.token, "authorization": f"Bearer {house.token}"}
    for body in (
        b"{",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b'"x"',
        b"7",
        b"[]",
        b'{"a": NaN}',
    ):
        reply = house.send(route.method, path, body, token)
        assert reply.status == 400, (dialect.name, body[:20], reply.body)
    big = route.limit or house.server.limits.body
    assert house.send(route.method, path, [b" " * 65_536] * (big // 65_536 + 2), token).status == 413
    assert house.send(route.method, path, b" " * (big + 1), token).status == 413
    assert house.ask(route.method, path, [b"{"], cut=True, **token).status == 0
    assert house.fingerprint() == before


def _rename(value: object) -> object:
    """The same of an owner that is not there."""
    if isinstance(value, dict):
        return {name: _rename(each) for name, each in value.items()}
    return str(value).replace("acme", "none")


def _without_id(reply: Reply) -> Mapping[str, Any]:
    return {name: value for name, value in reply.headers.items() if name != "x-request-id"}

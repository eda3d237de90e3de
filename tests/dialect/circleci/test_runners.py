"""Groups of agents, and the tokens to join them, as circleci-cli asks for them."""

from typing import Any

import pytest

from penstock.engine.agent_groups import create_group
from penstock.engine.enlist import Enlisting, enlist_agent
from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.model.access import Role, Scope
from tests.support.circle import CircleSite

RUNNER = "/api/v3/runner"


def ask(site: CircleSite, method: str, path: str, body: object = None, status: int = 200, **more: Any) -> Any:  # noqa: ANN401 - whatever was answered
    return site.succeed(method, f"{RUNNER}{path}", body, status, **more)


def make_class(site: CircleSite, name: str = "acme/box") -> dict[str, str]:
    made: dict[str, str] = ask(site, "POST", "/resource", {"resource_class": name, "description": "a box"})
    return made


def make_token(site: CircleSite, name: str = "acme/box") -> dict[str, str]:
    made: dict[str, str] = ask(site, "POST", "/token", {"resource_class": name, "nickname": "first"})
    return made


def test_agents_join_a_class_with_a_token_of_it(site: CircleSite) -> None:
    made = make_class(site)
    assert made["resource_class"] == "acme/box"
    assert ask(site, "GET", "/resource?namespace=acme")["items"] == [made]
    token = make_token(site)
    assert enlist_agent(site.parts, token["token"], Enlisting(name="box-1", version="1.0")) is not None
    [listed] = ask(site, "GET", "/token?resource-class=acme%2Fbox")["items"]
    assert listed == {name: value for name, value in token.items() if name != "token"}
    for query in ("resource-class=acme/box", "namespace=acme"):
        [runner] = ask(site, "GET", f"?{query}")["items"]
        assert (runner["name"], runner["resource_class"], runner["version"]) == ("box-1", "acme/box", "1.0")
    ask(site, "DELETE", f"/token/{token['id']}")
    assert enlist_agent(site.parts, token["token"], Enlisting(name="box-2")) is None
    assert len(ask(site, "GET", "?namespace=acme")["items"]) == 1
    ask(site, "DELETE", f"/resource/{made['id']}")
    assert ask(site, "GET", "?namespace=acme")["items"] == []


def test_a_class_with_tokens_goes_only_by_force(site: CircleSite) -> None:
    made = make_class(site)
    token = make_token(site)
    assert "by force" in ask(site, "DELETE", f"/resource/{made['id']}", None, 400)["message"]
    assert ask(site, "DELETE", f"/resource/{made['id']}/force") == {"message": "ok"}
    assert ask(site, "DELETE", f"/token/{token['id']}", None, 404) == {"message": "Token not found."}


def test_a_namespace_is_one_organization(site: CircleSite) -> None:
    body = {"resource_class": "nobody/box"}
    assert ask(site, "POST", "/resource", body, 404) == {"message": "Namespace not found."}
    create_organization(site.parts, SERVER, host="bb", name="acme")
    told = ask(site, "POST", "/resource", {"resource_class": "acme/box"}, 400)
    assert "Several organizations" in told["message"]


def test_classes_of_others_are_unknown(site: CircleSite) -> None:
    other = create_organization(site.parts, SERVER, host="gh", name="other")
    theirs = create_group(site.parts, SERVER, other, name="other/box")
    grace = site.add_person("grace", Role.OWNER)
    unknown = {"message": "Resource class not found."}
    body = {"resource_class": "other/box", "nickname": "mine"}
    assert ask(site, "POST", "/token", body, 404, token=grace) == unknown
    assert ask(site, "GET", "/token?resource-class=other/box", None, 404, token=grace) == unknown
    assert ask(site, "GET", "?resource-class=other/box", None, 404, token=grace) == unknown
    assert ask(site, "DELETE", f"/resource/{theirs.uuid}", None, 404, token=grace) == unknown
    assert ask(site, "GET", "/resource?namespace=other", token=grace)["items"] == []
    ask(site, "POST", "/resource", {"resource_class": "other/new"}, 404, token=grace)


def test_only_administrators_make_classes(site: CircleSite) -> None:
    make_class(site)
    for token in (site.add_person("ada", Role.MEMBER), site.add_person("eve", Role.OWNER, Scope.WRITE)):
        ask(site, "POST", "/resource", {"resource_class": "acme/new"}, 403, token=token)
        ask(site, "POST", "/token", {"resource_class": "acme/box", "nickname": "x"}, 403, token=token)
        ask(site, "GET", "/token?resource-class=acme/box", None, 403, token=token)
        assert len(ask(site, "GET", "/resource?namespace=acme", token=token)["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/resource", None),
        ("GET", "", None),
        ("POST", "/resource", {}),
        ("POST", "/resource", {"resource_class": "acme//x"}),
        ("POST", "/token", {"resource_class": "acme/box"}),
        ("DELETE", "/token/nonsense", None),
    ],
)
def test_what_makes_no_sense_is_refused(site: CircleSite, method: str, path: str, body: object) -> None:
    assert set(ask(site, method, path, body, 400)) == {"message"}

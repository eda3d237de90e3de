"""Identity tokens as a developer and the services outside see them: claims are set, keys take turns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.support.agent_process import make_join_token, running_agent
from tests.support.developer import Developer, developer_at
from tests.support.processes import wait_until
from tests.support.server import joined_parts

CONFIG = """\
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: printf %s "$CIRCLE_OIDC_TOKEN_V2" > LEFT/env
      - run: circleci run oidc get --claims '{"aud":"asked"}' > LEFT/asked; echo got $(cat LEFT/asked)
workflows: {main: {jobs: [build]}}
"""


class Service:
    """The developer, and a service that knows the server."""

    def __init__(self, developer: Developer) -> None:
        self.server, self.folder, self.origin = developer.server, developer.folder, developer.origin
        self.call, self.succeed, self.json = developer.call, developer.succeed, developer.json
        developer.login()
        developer.succeed("project", "add")

    def build(self) -> tuple[str, str]:
        """The tokens that a job left: that of its environment, and the one it asked for."""
        left = self.folder.parent / "left"
        for name in ("env", "asked"):
            (left / name).unlink(missing_ok=True)
        out = self.succeed("trigger", "--branch", "main", "--watch")
        assert "eyJ" not in out
        return (left / "env").read_text(), (left / "asked").read_text().strip()

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token, by the keys that its issuer publishes."""
        issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
        assert issuer.startswith(f"{self.server.url}/oidc/org/")
        keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks-pub.json", cache_keys=False)
        claims: dict[str, Any] = jwt.decode(
            token, keys.get_signing_key_from_jwt(token), ["RS256"], issuer=issuer, audience=audience
        )
        return claims


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("identity")
    (folder / "left").mkdir()
    files = {".circleci/config.yml": CONFIG.replace("LEFT", str(folder / "left"))}
    with developer_at(folder, files, "--slots", "1") as developer:
        yield Service(developer)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_claims_are_set_by_command_and_tokens_follow(service: Service) -> None:
    [project] = service.json("project", "show")
    name, organization = project["slug"], project["organization_id"]
    service.succeed("oidc", "claims", "set", "--audience", "a", "--audience", "b", "--ttl", "90m")
    service.succeed("oidc", "claims", "set", "--project", name, "--ttl", "30m")
    [shown] = service.json("oidc", "claims", "show", "--project", name)
    assert (shown["ttl"], shown["project_id"], "audience" in shown) == ("30m0s", project["id"], False)
    assert "a, b" in service.succeed("oidc", "claims", "show")
    told, asked = service.build()
    claims = service.verify(told, "b")
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (["a", "b"], 1800)
    origin = f"localhost{service.origin}".removesuffix(".git")
    assert claims["oidc.circleci.com/vcs-origin"] == origin
    [me] = service.json("project", "show")
    assert me["id"] == claims["oidc.circleci.com/project-id"]
    subject = claims["sub"].split("/user/")[1]
    assert subject.endswith(f"/vcs-origin/{origin}/vcs-ref/refs/heads/main")
    assert not subject.startswith("00000000")
    assert service.verify(asked, "asked")["exp"] - service.verify(asked, "asked")["iat"] == 1800
    service.succeed("oidc", "claims", "unset", "ttl", "--project", name)
    service.succeed("oidc", "claims", "unset")
    told, _ = service.build()
    assert service.verify(told, organization)["exp"] - claims["iat"] >= 3600
    refused = service.call("oidc", "claims", "set", "--ttl", "8d")
    assert (refused.status, "a token may be good for 1s to 168h0m0s" in refused.err) == (2, True)
    assert service.call("oidc", "claims", "set").status == 2


def test_keys_take_turns_and_what_old_ones_signed_is_believed(service: Service) -> None:
    [project] = service.json("project", "show")
    mine = project["organization_id"]
    old, _ = service.build()
    service.succeed("oidc", "rotate")
    again = service.call("oidc", "rotate")
    assert (again.status, "to follow already" in again.err) == (2, True)
    states = [each["state"] for each in service.json("oidc", "keys")]
    assert states == ["signs", "follows"]
    same, _ = service.build()
    assert kid_of(same) == kid_of(old)
    assert "signs now" in service.succeed("oidc", "rotate", "--now")
    new, _ = service.build()
    assert kid_of(new) != kid_of(old)
    for token in (old, new):
        service.verify(token, mine)
    assert "signed" in service.succeed("oidc", "keys")
    service.succeed("oidc", "rotate", "--withdraw")
    newest, _ = service.build()
    service.verify(newest, mine)
    for token in (old, new):
        with pytest.raises(jwt.PyJWKClientError):
            service.verify(token, mine)


def test_a_token_is_over_when_its_time_is(service: Service) -> None:
    service.succeed("oidc", "claims", "set", "--ttl", "1s")
    told, _ = service.build()
    [project] = service.json("project", "show")

    def is_over() -> bool:
        try:
            service.verify(told, project["organization_id"])
        except jwt.ExpiredSignatureError:
            return True
        return False

    wait_until(is_over, seconds=20, what="the token is over")
    service.succeed("oidc", "claims", "unset")


def test_jobs_of_agents_elsewhere_have_tokens_too(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    files = {".circleci/config.yml": CONFIG.replace("LEFT", str(tmp_path / "left"))}
    with developer_at(tmp_path, files, "--slots", "0") as developer:
        service = Service(developer)
        with joined_parts(tmp_path / "data") as parts:
            token = make_join_token(parts)
        with running_agent(
            tmp_path / "agent", service.server.url, token, "--slots", "1", "--executor", "host"
        ):
            told, asked = service.build()
        [project] = service.json("project", "show")
        assert (
            service.verify(told, project["organization_id"])["sub"] == service.verify(asked, "asked")["sub"]
        )

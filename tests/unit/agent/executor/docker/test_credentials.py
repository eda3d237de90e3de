import base64
import json
from pathlib import Path

import pytest

from penstock.agent.executor.docker.credentials import Credentials, fill_variables, find_credentials
from penstock.model.errors import UnavailableError
from penstock.plan.executor import RegistryAuth

REGISTRY = "12.dkr.ecr.eu-west-1.amazonaws.com"


def write_helper(folder: Path, name: str, script: str) -> None:
    """A credential helper: reads the registry, says what the script prints."""
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\nread -r registry\n{script}\n")
    path.chmod(0o755)


def write_logins(folder: Path, **config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_the_engine_gets_credentials_with_the_registry_they_are_for() -> None:
    told = json.loads(base64.urlsafe_b64decode(Credentials("me", "secret").encode("host:1")))
    assert told == {"serveraddress": "host:1", "username": "me", "password": "secret"}


def test_a_token_is_given_as_one() -> None:
    told = json.loads(base64.urlsafe_b64decode(Credentials("<token>", "t").encode("host")))
    assert told == {"serveraddress": "host", "identitytoken": "t"}


def test_auth_takes_variables_of_the_job() -> None:
    auth = RegistryAuth(username="$USER_NAME", password="${TOKEN}x$$ a$ $1")
    found = find_credentials("", auth, {"USER_NAME": "me", "TOKEN": "t", "1": "one"}, None)
    assert found == Credentials("me", "tx$$ a$ one")


def test_a_variable_nobody_gave_is_named() -> None:
    with pytest.raises(UnavailableError, match="the variable SECRET, which the job does not have"):
        fill_variables("$SECRET", {"OTHER": "x"})


def test_without_auth_and_login_there_are_no_credentials(tmp_path: Path) -> None:
    assert find_credentials("host", None, {}, None) is None
    assert find_credentials("host", None, {}, tmp_path) is None
    assert find_credentials("host", None, {}, write_logins(tmp_path, auths={"other": {}})) is None


@pytest.mark.parametrize(("registry", "key"), [("", "https://index.docker.io/v1/"), ("host:1", "host:1")])
def test_who_is_logged_in_on_the_machine_may_pull(tmp_path: Path, registry: str, key: str) -> None:
    entry = {"auth": base64.b64encode(b"me:pass:word").decode()}
    folder = write_logins(tmp_path, auths={key: entry})
    assert find_credentials(registry, None, {}, folder) == Credentials("me", "pass:word")


def test_a_helper_of_the_machine_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    write_helper(tmp_path, "store", 'echo "{\\"Username\\": \\"me\\", \\"Secret\\": \\"of $registry\\"}"')
    one = write_logins(tmp_path, credHelpers={"host": "store"})
    assert find_credentials("host", None, {}, one) == Credentials("me", "of host")
    all_of_them = write_logins(tmp_path, auths={"other": {}}, credsStore="store")
    assert find_credentials("other", None, {}, all_of_them) == Credentials("me", "of other")
    assert find_credentials("host", None, {}, all_of_them) is None


def test_keys_of_aws_are_given_to_its_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    write_helper(
        tmp_path,
        "ecr-login",
        'echo "{\\"Username\\": \\"AWS\\", \\"Secret\\": \\"$AWS_SECRET_ACCESS_KEY\\"}"',
    )
    auth = RegistryAuth(provider={"aws_access_key_id": "$ID", "aws_secret_access_key": "$KEY"})
    assert find_credentials(REGISTRY, auth, {"ID": "i", "KEY": "k"}, None) == Credentials("AWS", "k")


@pytest.mark.parametrize(
    ("registry", "provider", "sentence"),
    [
        (REGISTRY, {"aws_access_key_id": "x"}, "need the program docker-credential-ecr-login, which is not"),
        ("host", {"aws_access_key_id": "x"}, "aws_auth is for registries of AWS, and host is none"),
        (REGISTRY, {"oidc_role_arn": "x"}, "aws_auth with a role needs an identity token"),
        ("gcr.io", {"oidc_service_account": "x"}, "gcp_auth needs an identity token"),
    ],
)
def test_what_a_cloud_does_not_give_is_said(
    registry: str, provider: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/no/such/folder")
    with pytest.raises(UnavailableError, match=sentence):
        find_credentials(registry, RegistryAuth(provider=provider), {}, None)


@pytest.mark.parametrize("script", ["echo no such login; exit 1", "echo nonsense", ""])
def test_a_helper_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    write_helper(tmp_path, "bad", script)
    folder = write_logins(tmp_path, credHelpers={"host": "bad"})
    with pytest.raises(UnavailableError, match="docker-credential-bad"):
        find_credentials("host", None, {}, folder)


@pytest.mark.parametrize("text", ["{", '{"auths": {"host": {"auth": "?"}}}', '{"auths": 3}'])
def test_a_damaged_login_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UnavailableError, match=r"config\.json"):
        find_credentials("host", None, {}, tmp_path)

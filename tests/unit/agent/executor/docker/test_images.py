import base64
import json

import pytest

from penstock.agent.executor.docker.images import encode_auth, expand_text, split_name
from penstock.plan.executor import RegistryAuth


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("alpine", ("alpine", "latest")),
        ("alpine:3.20", ("alpine", "3.20")),
        ("host:5000/team/image", ("host:5000/team/image", "latest")),
        ("host:5000/image:1", ("host:5000/image", "1")),
        ("image@sha256:abc", ("image", "sha256:abc")),
    ],
)
def test_a_name_is_a_repository_and_a_tag_or_digest(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_credentials_take_variables() -> None:
    auth = RegistryAuth(username="$USER_NAME", password="${TOKEN}x$UNKNOWN")
    encoded = encode_auth(auth, {"USER_NAME": "me", "TOKEN": "t"})
    assert json.loads(base64.urlsafe_b64decode(encoded)) == {"username": "me", "password": "tx$UNKNOWN"}


def test_without_a_user_there_are_no_credentials() -> None:
    assert encode_auth(None, {}) == ""
    assert encode_auth(RegistryAuth(provider={"aws_access_key_id": "x"}), {}) == ""


def test_a_dollar_alone_is_text() -> None:
    assert expand_text("a$ $$ $1", {}) == "a$ $ $1"

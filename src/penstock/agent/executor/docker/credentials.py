"""Who may pull an image: what the config says, a cloud's own helper, or who is logged in on this machine."""

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.kit.shapes import read_json
from penstock.model.errors import UnavailableError
from penstock.plan.executor import RegistryAuth

HUB = "https://index.docker.io/v1/"  # what Docker Hub is called where credentials are kept
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
_ECR = re.compile(r"(?:\d+\.dkr\.ecr\.[\w-]+\.amazonaws\.com(?:\.cn)?|public\.ecr\.aws)")
_HELPER_SECONDS = 30.0
_AWS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}


class Credentials(msgspec.Struct, frozen=True):
    """What a registry wants to know; a user `<token>` has a token instead of a password."""

    username: str
    password: str

    def encode(self, registry: str) -> str:
        """As the engine wants them in its header (Docker Engine API: authentication)."""
        names = {"serveraddress": registry}
        if self.username == "<token>":
            names["identitytoken"] = self.password
        else:
            names |= {"username": self.username, "password": self.password}
        return base64.urlsafe_b64encode(msgspec.json.encode(names)).decode()


class _Entry(msgspec.Struct, frozen=True):
    auth: str = ""


class _Config(msgspec.Struct, frozen=True):
    """The part of the file `config.json` of Docker's client that counts here."""

    auths: dict[str, _Entry] = {}
    credential_helpers: dict[str, str] = msgspec.field(default={}, name="credHelpers")
    store: str = msgspec.field(default="", name="credsStore")


class _Told(msgspec.Struct, frozen=True, rename="pascal"):
    username: str
    secret: str


def find_credentials(
    registry: str, auth: RegistryAuth | None, variables: Mapping[str, str], folder: Path | None
) -> Credentials | None:
    """The credentials for a registry, None when nobody has any. `folder` is that of Docker's client.

    Raises UnavailableError for credentials that are wanted and cannot be had.
    """
    if auth is not None and auth.username:
        return Credentials(fill_variables(auth.username, variables), fill_variables(auth.password, variables))
    if auth is not None and auth.provider:
        provider = {name: fill_variables(text, variables) for name, text in auth.provider.items()}
        return _ask_cloud(registry, provider)
    return read_login(registry, folder) if folder is not None else None


def fill_variables(text: str, variables: Mapping[str, str]) -> str:
    """The text with `$NAME` and `${NAME}` replaced. Raises UnavailableError for a name nobody gave."""

    def fill(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            raise UnavailableError(f"its credentials name the variable {name}, which the job does not have")
        return variables[name]

    return _VARIABLE.sub(fill, text)


def _ask_cloud(registry: str, provider: Mapping[str, str]) -> Credentials:
    """What AWS gives for its keys (CircleCI docs: aws_auth)."""
    if "aws_access_key_id" not in provider:
        kind = "aws_auth with a role" if "oidc_role_arn" in provider else "gcp_auth"
        raise UnavailableError(f"{kind} needs an identity token, and none is issued here: use auth instead")
    if not _ECR.fullmatch(registry):
        raise UnavailableError(f"aws_auth is for registries of AWS, and {registry or 'Docker Hub'} is none")
    given = {_AWS[name]: text for name, text in provider.items() if name in _AWS}
    return _ask_helper("ecr-login", registry, given)


def read_login(registry: str, folder: Path) -> Credentials | None:
    """Who is logged in to the registry, as `docker login` left it in its folder."""
    path = folder / "config.json"
    try:
        config = read_json(path.read_bytes(), _Config)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UnavailableError(f"cannot read {path}: {error}") from error
    helper = config.credential_helpers.get(registry)
    names = (
        [HUB, "docker.io"] if not registry else [registry, f"https://{registry}", f"https://{registry}/v1/"]
    )
    entry = next((config.auths[name] for name in names if name in config.auths), None)
    if helper is None and entry is not None and entry.auth:
        return _split_entry(entry, path)
    if helper is None and entry is not None:
        helper = config.store
    return _ask_helper(helper, registry or HUB, {}) if helper else None


def _split_entry(entry: _Entry, path: Path) -> Credentials:
    try:
        username, _, password = base64.b64decode(entry.auth, validate=True).decode().partition(":")
    except ValueError as error:
        raise UnavailableError(f"{path} has credentials that are no base64") from error
    return Credentials(username, password.rstrip("\0"))


def _ask_helper(helper: str, registry: str, environment: Mapping[str, str]) -> Credentials:
    """What a program of the family `docker-credential-…` says (Docker docs: credential helper protocol)."""
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"],
            input=registry.encode(),
            env={**os.environ, **environment},
            cwd="/",
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
        if done.returncode:
            said = (done.stdout or done.stderr).decode(errors="replace").strip()
            raise UnavailableError(f"{program} has no credentials for {registry}: {said}")
        told = read_json(done.stdout, _Told)
    except FileNotFoundError as error:
        raise UnavailableError(f"the credentials need the program {program}, which is not here") from error
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise UnavailableError(f"{program} gave no credentials: {error}") from error
    return Credentials(told.username, told.secret)

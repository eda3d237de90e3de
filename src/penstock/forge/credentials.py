"""How git proves who we are: keys and tokens, handed over where no process list or error shows them."""

import base64
import shlex
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import msgspec

from penstock.forge.address import Address, Policy, Protocol

_USERS = {"bitbucket.org": "x-token-auth", "gitlab.com": "oauth2"}
_USER = "x-access-token"
_SHORTEST = 4
"""A shorter secret is not hidden: it would blot out half of every sentence."""


class HostKeys(StrEnum):
    """What to do about the key of an ssh host (ssh_config: StrictHostKeyChecking)."""

    STRICT = "yes"  # it must be known
    NEW = "accept-new"  # an unknown one is learned, a changed one refused
    ANY = "no"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What opens a repository: a token for the web, a key file for ssh, or neither.

    `user` goes with the token; where it is empty the host's usual one is taken. Without `key` ssh uses what
    the server's own user has set up.
    """

    user: str = ""
    token: str = ""
    key: Path | None = None
    known_hosts: Path | None = None
    host_keys: HostKeys = HostKeys.STRICT

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, token={'…' if self.token else ''!r}, key={self.key!r})"


def make_environment(address: Address, credentials: Credentials, policy: Policy) -> dict[str, str]:
    """The variables for a git that talks to the address.

    Nothing is asked of a person, no helper of the machine is consulted, and the token goes only to the
    address's own host: with a token redirects are not followed.
    """
    settings = {
        "credential.helper": "",
        "http.lowSpeedLimit": "100",
        "http.lowSpeedTime": "60",
        "http.followRedirects": "false" if credentials.token else "initial",
        "fetch.recurseSubmodules": "no",
        "fetch.writeCommitGraph": "false",
        "core.sshCommand": make_ssh_command(credentials),
    }
    if credentials.token and address.origin:
        settings[f"http.{address.origin}.extraHeader"] = (
            f"Authorization: Basic {_encode(address, credentials)}"
        )
    variables = {
        "GIT_ALLOW_PROTOCOL": ":".join(sorted(policy.protocols)),
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (name, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def make_ssh_command(credentials: Credentials) -> str:
    """The ssh git calls: it asks nobody, and gives up on a host that went away."""
    words = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"]
    words += ["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"]
    words += ["-o", f"StrictHostKeyChecking={credentials.host_keys}"]
    if credentials.known_hosts is not None:
        words += ["-o", f"UserKnownHostsFile={_quote(credentials.known_hosts)}"]
    if credentials.key is not None:
        words += ["-F", "none", "-i", str(credentials.key), "-o", "IdentitiesOnly=yes"]
        words += ["-o", "IdentityAgent=none", "-o", "ForwardAgent=no"]
    return shlex.join(words)


def hide_secrets(text: str, address: Address, credentials: Credentials) -> str:
    """The text as it may be shown."""
    token = credentials.token
    if len(token) < _SHORTEST:
        return text
    forms = {token, quote(token, safe="")}
    if address.protocol is not Protocol.SSH:
        forms.add(_encode(address, credentials))
    return _replace(text, forms)


def _replace(text: str, forms: Iterable[str]) -> str:
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "****")
    return text


def _encode(address: Address, credentials: Credentials) -> str:
    user = credentials.user or address.user or _USERS.get(address.host, _USER)
    return base64.b64encode(f"{user}:{credentials.token}".encode()).decode()


def _quote(path: Path) -> str:
    """A path as ssh's own options want it: blanks in it do not part two files."""
    return f'"{path}"'

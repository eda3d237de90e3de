"""Where a repository may be: reads the URL a project gives, and refuses what git must never be handed."""

import re
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from penstock.model.errors import ForbiddenError, InvalidError

_LONGEST = 2048
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\u2028\u2029\ud800-\udfff]")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_SCP = re.compile(r"(?:(?P<user>[^@:/]+)@)?(?P<host>[^:/\[\]]+|\[[0-9A-Fa-f:.]+\]):(?P<path>[^:].*)")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|\[?[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?\]?")


class Protocol(StrEnum):
    """The ways to a repository, as git names them (git: protocol.allow)."""

    HTTPS = "https"
    SSH = "ssh"
    HTTP = "http"
    FILE = "file"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which addresses this server follows; `folders` narrows local ones, none means anywhere."""

    protocols: frozenset[Protocol] = frozenset({Protocol.HTTPS, Protocol.SSH})
    folders: tuple[Path, ...] = ()


ANYWHERE = Policy(protocols=frozenset(Protocol))
"""Every address that is one."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A repository's place. `url` is what git is told: it holds no password."""

    protocol: Protocol
    url: str
    host: str = ""
    user: str = ""

    @property
    def origin(self) -> str:
        """Scheme and host of an address of the web, to which a token belongs; "" for others."""
        if self.protocol not in {Protocol.HTTP, Protocol.HTTPS}:
            return ""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/"


def read_address(url: str, policy: Policy) -> tuple[Address, str]:
    """The address, and the password that was written in it (or "").

    Raises InvalidError for what is no address of a repository, ForbiddenError for one that is not allowed.
    """
    if not url or len(url) > _LONGEST:
        raise InvalidError("the address of the repository is empty or absurdly long")
    if url.startswith("-") or _UNPRINTABLE.search(url) or _HELPER.match(url):
        raise InvalidError("this is no address of a repository: write https://…, ssh://…, or user@host:path")
    address, password = _read_url(url) if "://" in url else (_read_short(url), "")
    if address.protocol not in policy.protocols:
        allowed = ", ".join(sorted(policy.protocols))
        raise ForbiddenError(
            f"repositories over {address.protocol} are not allowed here, only {allowed or 'none'}"
        )
    if address.protocol is Protocol.FILE:
        _check_folder(address, policy)
    return address, password


def _read_url(url: str) -> tuple[Address, str]:
    scheme = url.partition("://")[0].lower()
    if scheme not in set(Protocol):
        raise InvalidError(f"{scheme[:20]}:// is no way to a repository that Penstock knows")
    protocol = Protocol(scheme)
    if protocol is Protocol.FILE:
        path = url.partition("://")[2]
        if not path.startswith("/"):
            raise InvalidError("a file:// address names no host: write file:///path")
        return Address(protocol=protocol, url=f"file://{path}"), ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidError(f"this is no address of a repository: {error}") from error
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not _HOST.fullmatch(host) or not parts.path.strip("/") or user.startswith("-"):
        raise InvalidError("this address names no host or no repository")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    if protocol is Protocol.SSH and user:
        netloc = f"{parts.netloc.partition('@')[0].partition(':')[0]}@{netloc}"
    clean = parts._replace(scheme=scheme, netloc=netloc, fragment="").geturl()
    return Address(protocol=protocol, url=clean, host=host, user=user), password


def _read_short(text: str) -> Address:
    """A local path, or the `user@host:path` of ssh."""
    if text.startswith("/"):
        return Address(protocol=Protocol.FILE, url=f"file://{text}")
    match = _SCP.fullmatch(text)
    if match is None or not _HOST.fullmatch(match["host"]) or match["path"].startswith("-"):
        raise InvalidError("this is no address of a repository: write https://…, ssh://…, or user@host:path")
    user = match["user"] or ""
    if user.startswith("-"):
        raise InvalidError("the user of an address does not begin with -")
    return Address(protocol=Protocol.SSH, url=text, host=match["host"], user=user)


def _check_folder(address: Address, policy: Policy) -> None:
    """A local repository is below an allowed folder, wherever links lead."""
    if not policy.folders:
        return
    try:
        path = Path(unquote(address.url.removeprefix("file://"))).resolve()
        allowed = any(path.is_relative_to(folder.resolve()) for folder in policy.folders)
    except (OSError, RuntimeError, ValueError):
        allowed = False
    if not allowed:
        raise ForbiddenError("local repositories are allowed only below the folders the settings name")

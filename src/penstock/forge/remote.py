"""Reads the address of a git remote: which host, which owner, which repository."""

import re
from urllib.parse import urlsplit

import msgspec

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>.+)")
_SHORT = {"github.com": "gh", "bitbucket.org": "bb", "gitlab.com": "gl"}
LOCAL = "local"


class Remote(msgspec.Struct, frozen=True):
    """The parts of a remote's address; host and owner are empty for a local path."""

    host: str
    owner: str
    name: str

    @property
    def organization(self) -> str:
        """The slug of the owner: `gh/acme`; `local` when the remote names none."""
        if not self.owner:
            return LOCAL
        return f"{_SHORT.get(self.host, self.host)}/{self.owner}"


def parse_remote(url: str) -> Remote:
    """The parts of an https, ssh, scp-like or file address; credentials in it are dropped."""
    host, segments = _split(url)
    name = segments[-1] if segments else "project"
    owner = "/".join(segments[:-1]) if host and url.partition("://")[0] != "file" else ""
    return Remote(host=host if owner else "", owner=owner, name=name)


def name_repository(url: str) -> str:
    """The repository as `github.com/acme/app`, whatever the way to it; "" when the address says nothing.

    One on this machine is on `localhost`.
    """
    host, segments = _split(url)
    is_here = not host or url.partition("://")[0] == "file"
    return "/".join(["localhost" if is_here else host, *segments]) if segments else ""


def _split(url: str) -> tuple[str, list[str]]:
    """The host, "" for none, and the parts of the path."""
    if "://" in url:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    elif (match := _SCP.fullmatch(url)) and not url.startswith((".", "/")):
        host, path = match["host"], match["path"]
    else:
        host, path = "", url
    return host, [segment for segment in path.removesuffix("/").removesuffix(".git").split("/") if segment]


def without_credentials(url: str) -> str:
    """The address as it may be shown: user and password of a URL removed."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

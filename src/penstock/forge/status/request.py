"""A request to a host that has been worded but not sent, and where a host's API is."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import msgspec

from penstock.forge.host import Host
from penstock.forge.refs import check_sha
from penstock.model.errors import InvalidError

_APIS = {
    Host.GITHUB: "/api/v3",
    Host.GITLAB: "/api/v4",
    Host.GITEA: "/api/v1",
    Host.BITBUCKET: "/2.0",
    Host.BITBUCKET_SERVER: "/rest/api/latest",
}
_CLOUDS = {
    "github.com": "https://api.github.com",
    "bitbucket.org": "https://api.bitbucket.org/2.0",
}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A repository at a host. `api` is the address the host's API is below, without a `/` at its end."""

    host: Host
    api: str
    repository: str  # the full name
    token: str

    def __repr__(self) -> str:
        return f"Place(host={self.host!r}, api={self.api!r}, repository={self.repository!r}, token='…')"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request in full. Its representation leaves out the headers, where the token is."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url})"


def find_api(host: Host, web_url: str) -> str:
    """Where the API of the host is that has its pages at `web_url`. Raises InvalidError for no address."""
    parts = urlsplit(web_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidError("the address of a host begins with https://")
    if parts.netloc in _CLOUDS:
        return _CLOUDS[parts.netloc]
    return f"{parts.scheme}://{parts.netloc}{_APIS[host]}"


def make_request(
    place: Place, path: str, fields: Mapping[str, object], headers: Mapping[str, str]
) -> Request:
    """A POST of the fields that are not empty, as JSON."""
    told = {name: value for name, value in fields.items() if value != ""}
    usual = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "penstock"}
    return Request(
        method="POST", url=f"{place.api}{path}", headers=usual | dict(headers), body=msgspec.json.encode(told)
    )


def quote_repository(repository: str) -> str:
    """`owner/name` as a part of a path. Raises InvalidError when it is something else."""
    parts = repository.split("/")
    if len(parts) < 2 or any(part in {"", ".", ".."} for part in parts):  # noqa: PLR2004 - owner and name
        raise InvalidError(f"{repository[:80]!r} is no full name of a repository")
    return "/".join(quote(part, safe="~") for part in parts)


def quote_commit(sha: str) -> str:
    """The commit as a part of a path. Raises InvalidError when it is something else."""
    return check_sha(sha)

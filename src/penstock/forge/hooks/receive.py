"""Takes in a webhook: finds out which host sent it, and has it checked and read."""

from collections.abc import Callable, Mapping, Sequence

from penstock.forge.hooks import bitbucket_server, gitea
from penstock.forge.hooks.bitbucket import read_bitbucket
from penstock.forge.hooks.bitbucket_server import read_bitbucket_server
from penstock.forge.hooks.event import Hook
from penstock.forge.hooks.gitea import read_gitea
from penstock.forge.hooks.github import read_github
from penstock.forge.hooks.gitlab import read_gitlab
from penstock.forge.hooks.payload import check_size
from penstock.forge.host import Host
from penstock.model.errors import InvalidError

Reader = Callable[[Mapping[str, str], bytes, Sequence[str], int], Hook]

READERS: Mapping[Host, Reader] = {
    Host.GITHUB: read_github,
    Host.GITLAB: read_gitlab,
    Host.GITEA: read_gitea,
    Host.BITBUCKET: read_bitbucket,
    Host.BITBUCKET_SERVER: read_bitbucket_server,
}


def read_hook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: int,
    host: Host | None = None,
) -> Hook:
    """What a host says, once it is sure that the host says it.

    Each of the secrets is good, so that one can take another's place. `now` is in milliseconds. Without
    `host` the headers tell it. Raises ForbiddenError for what is unsigned, wrongly signed or signed too long
    ago, LimitExceededError for a body that is too large, InvalidError for one that cannot be read. Remember
    `delivery.key` to refuse the same message twice.
    """
    check_size(body)
    lower = {name.lower(): value for name, value in headers.items()}
    return READERS[host or find_host(lower)](lower, body, secrets, now)


def find_host(headers: Mapping[str, str]) -> Host:
    """The host by its headers, named in lower case. Raises InvalidError when no known one sends such."""
    # Gitea and Forgejo also send GitHub's headers, so they come first.
    if any(f"{prefix}-event" in headers for prefix in gitea.PREFIXES):
        return Host.GITEA
    if "x-gitlab-event" in headers:
        return Host.GITLAB
    if "x-github-event" in headers:
        return Host.GITHUB
    name = headers.get("x-event-key", "")
    if name.startswith(("repo:refs_", "pr:")) or name == bitbucket_server.PING:
        return Host.BITBUCKET_SERVER
    if name:
        return Host.BITBUCKET
    raise InvalidError(
        "this is no webhook of GitHub, GitLab, Gitea, Forgejo or Bitbucket: no header names an event"
    )

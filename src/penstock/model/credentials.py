"""What opens a repository of somebody else's, and lets us speak to its host."""

import msgspec


class CloneCredentials(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token for the web, a private key for ssh, or neither; kept sealed.

    `user` goes with the token; where it is empty the host's usual one is meant. `known_hosts` holds lines as
    ssh's own file has them.
    """

    user: str = ""
    token: str = ""
    private_key: str = ""
    known_hosts: str = ""

    def __repr__(self) -> str:
        """Which parts there are, but no secret one."""
        parts = [name for name in ("token", "private_key") if getattr(self, name)]
        return f"CloneCredentials(user={self.user!r}, has={parts!r})"


class CloneWay(msgspec.Struct, frozen=True, kw_only=True):
    """Where a project is cloned from in fact, and what opens that place."""

    url: str
    credentials: CloneCredentials | None = None


class HostAccount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a project's host takes statuses of commits, and the token for it; kept sealed.

    `host` is a kind of host (`github`, `gitlab`, `gitea`, `bitbucket`, `bitbucket_server`), `api` the address
    its API is below, `repository` the full name there. What is empty follows from the project's address.
    """

    token: str
    host: str = ""
    api: str = ""
    repository: str = ""

    def __repr__(self) -> str:
        """Everything but the token."""
        return f"HostAccount(host={self.host!r}, api={self.api!r}, repository={self.repository!r})"

"""What opens a repository of somebody else's."""

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

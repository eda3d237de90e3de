"""Who asks: an account, what it is where, and how much of that the token it showed carries."""

from collections.abc import Mapping

import msgspec

from penstock.model.access import Role, Scope, User

_REACH: Mapping[Scope, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.RUN: frozenset({Scope.READ, Scope.RUN}),
    Scope.WRITE: frozenset({Scope.READ, Scope.WRITE}),
    Scope.ADMIN: frozenset(Scope),
}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks for something. `roles` are by the row ids of organizations.

    `scopes` holds what the token's scopes include as well. `organization_id` and `project_id` are the
    token's limits, None for none.
    """

    user: User
    roles: Mapping[int, Role]
    scopes: frozenset[Scope]
    token: str = ""  # UUID
    organization_id: int | None = None
    project_id: int | None = None

    @property
    def is_limited(self) -> bool:
        """True when the token speaks for a part of what the account may do everywhere."""
        return self.organization_id is not None or self.project_id is not None


def reach_of(scopes: tuple[Scope, ...]) -> frozenset[Scope]:
    """The scopes with all they include."""
    return frozenset[Scope]().union(*(_REACH[scope] for scope in scopes))


SERVER = Principal(
    user=User(id=0, uuid="", login="", name="", email="", avatar_url="", admin=True, created_at=0),
    roles={},
    scopes=frozenset(Scope),
)
"""The server itself, and whoever has its data folder in their hands."""

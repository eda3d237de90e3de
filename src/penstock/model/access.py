"""Who asks: people, what they are in an organization, and the tokens that speak for them."""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What somebody is in an organization; each may do what the later ones may."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    def reaches(self, needed: "Role") -> bool:
        """True when somebody with this role may do what needs the other."""
        return _ORDER.index(self) <= _ORDER.index(needed)


_ORDER = tuple(Role)


class Scope(StrEnum):
    """What a token was made for. To run or to write includes to read, `admin` includes all."""

    READ = "read"
    RUN = "run"
    WRITE = "write"
    ADMIN = "admin"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a machine with an account. `admin` is about the whole server.

    Logins differ in more than upper and lower case.
    """

    id: int
    uuid: str
    login: str
    name: str
    email: str
    avatar_url: str
    admin: bool
    created_at: int
    disabled_at: int | None = None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is in one organization."""

    user_id: int
    organization_id: int
    role: Role
    created_at: int


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of a token once it was made.

    A token that is limited to a project is limited to its organization too.
    """

    id: int
    uuid: str
    user_id: int
    label: str
    scopes: tuple[Scope, ...]
    organization_id: int | None
    project_id: int | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None = None
    used_at: int | None = None  # to the minute

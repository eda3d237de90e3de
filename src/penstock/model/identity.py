"""Identity tokens: what people set about them, and what is known of the keys that sign them."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

SHORTEST_LIFE, LONGEST_LIFE, USUAL_LIFE = 1_000, 7 * 86_400_000, 3_600_000
"""Milliseconds an identity token may be good for, and is when nobody says anything."""


class CustomClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an organization, or one project of it, sets about its tokens; None is not set.

    `ttl` is in milliseconds. The times tell of the last change, also when it took the value away.
    """

    id: int
    organization_id: int
    project_id: int | None = None
    audience: tuple[str, ...] | None = None
    audience_updated_at: int | None = None
    ttl: int | None = None
    ttl_updated_at: int | None = None


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its private half; `public` is a JSON Web Key, and `kid` its thumbprint.

    It signs from `signs_at` on, until another one does.
    """

    id: int
    kid: str
    public: Mapping[str, str]
    created_at: int
    signs_at: int


class KeyState(StrEnum):
    """Whose turn it is; a key that follows or has signed is published all the same."""

    FOLLOWS = "follows"
    SIGNS = "signs"
    SIGNED = "signed"


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A published key; one that has signed is known `until` all it signed is over."""

    kid: str
    state: KeyState
    created_at: int
    signs_at: int
    until: int | None = None

"""Who owns what: organizations and projects."""

import msgspec


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of projects, contexts and serial groups."""

    id: int
    uuid: str
    slug: str  # `gh/acme`, or `local`
    name: str


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One repository and its settings. `slug` is `<organization slug>/<name>`."""

    id: int
    uuid: str
    organization_id: int
    slug: str
    name: str
    url: str  # where the source is cloned from
    default_branch: str
    created_at: int

"""What goes over the wire about contexts and groups, with the vendor's names (CircleCI OpenAPI document)."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from penstock.api.circleci.paging import PageQuery, PageToken
from penstock.api.circleci.payloads import Name, Payload

Value = Annotated[str, msgspec.Meta(max_length=40_000)]
GroupLimit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Owner(Payload, frozen=True, kw_only=True):
    """Whose a context is: an organization, by id or by slug."""

    id: Name | None = None
    slug: Name | None = None
    type: Name = "organization"


class NewContext(Payload, frozen=True, kw_only=True):
    """The body of `createContext`."""

    name: Name
    owner: Owner


class ContextsQuery(PageQuery, frozen=True, rename="kebab"):
    """The query of `listContexts`: one of the first two is needed."""

    owner_id: Name = ""
    owner_slug: Name = ""
    owner_type: Name = "organization"


class Context(Payload, frozen=True, kw_only=True):
    """A context."""

    id: str
    name: str
    created_at: str


class ContextVariable(Payload, frozen=True, kw_only=True):
    """A variable of a context, never its value."""

    variable: str
    created_at: str
    updated_at: str
    context_id: str


class NewValue(Payload, frozen=True, kw_only=True):
    """The body of `addEnvironmentVariableToContext`."""

    value: Value

    def __repr__(self) -> str:
        """Without the value."""
        return "NewValue()"


class NewRestriction(Payload, frozen=True, kw_only=True):
    """The body of `createContextRestriction`; `project_id` is its older form."""

    restriction_type: Name | None = None
    restriction_value: Value | None = None
    project_id: Name | None = None


class Restriction(Payload, frozen=True, kw_only=True):
    """A restriction; `name` is that of the project or group as long as there is one.

    Lists tell the context, the answer to `createContextRestriction` does not.
    """

    id: str
    context_id: str | UnsetType = UNSET
    restriction_type: str
    restriction_value: str
    name: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET


class NewGroup(Payload, frozen=True, kw_only=True):
    """The body of `createOrganizationGroup`."""

    name: Name
    description: Value = ""


class Group(Payload, frozen=True, kw_only=True):
    """A group of people in an organization."""

    id: str
    name: str
    description: str


class GroupsQuery(msgspec.Struct, frozen=True, rename="kebab"):
    """The query of `getOrganizationGroups`."""

    limit: GroupLimit = 100
    page_token: PageToken = ""


class Groups(Payload, frozen=True, kw_only=True):
    """The answer of `getOrganizationGroups`."""

    items: tuple[Group, ...]
    next_page_token: str | None
    total_count: int

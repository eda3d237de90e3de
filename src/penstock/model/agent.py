"""Those who run tasks, and the groups they belong to."""

from enum import StrEnum

import msgspec


class AgentState(StrEnum):
    """Whether an agent takes tasks."""

    ONLINE = "online"
    DRAINING = "draining"  # ends what it has and takes nothing new
    GONE = "gone"  # said goodbye or was not heard of for long; it is online again when it speaks


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A process that takes tasks. It is given only tasks whose labels it carries all of."""

    id: int
    uuid: str
    name: str
    labels: tuple[str, ...]
    slots: int
    created_at: int
    seen_at: int
    disabled: bool = False
    group_id: int | None = None  # None for one inside the server or a command
    version: str = ""  # of its program
    state: AgentState = AgentState.ONLINE


class AgentGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Agents that are alike. Its name is a resource class, and a label each of them carries.

    A group without an organization serves all.
    """

    id: int
    uuid: str
    organization_id: int | None
    name: str
    description: str
    created_at: int


class AgentToken(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of a token with which agents join a group."""

    id: int
    uuid: str
    group_id: int
    label: str
    created_at: int
    used_at: int | None = None

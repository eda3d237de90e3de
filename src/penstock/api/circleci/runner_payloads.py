"""What goes over the wire about self-hosted runners (CircleCI runner API; circleci-cli)."""

from typing import Annotated

import msgspec

from penstock.api.circleci.payloads import Payload

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ResourceClass(Payload, frozen=True, kw_only=True):
    """A group of agents, named `<namespace>/<name>`."""

    id: str
    resource_class: str
    description: str


class ResourceClasses(Payload, frozen=True, kw_only=True):
    """The groups of a namespace."""

    items: tuple[ResourceClass, ...]


class NewResourceClass(Payload, frozen=True, kw_only=True):
    """A group to be made."""

    resource_class: Name
    description: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class RunnerToken(Payload, frozen=True, kw_only=True):
    """A token to join a group with; `token` is shown once, when it is made."""

    id: str
    resource_class: str
    nickname: str
    created_at: str
    token: str | msgspec.UnsetType = msgspec.UNSET


class RunnerTokens(Payload, frozen=True, kw_only=True):
    """The tokens of a group, without what is secret."""

    items: tuple[RunnerToken, ...]


class NewRunnerToken(Payload, frozen=True, kw_only=True):
    """A token to be made."""

    resource_class: Name
    nickname: Name


class Runner(Payload, frozen=True, kw_only=True):
    """An agent that has joined a group."""

    resource_class: str
    hostname: str
    name: str
    first_connected: str
    last_connected: str
    last_used: str | None
    version: str


class Runners(Payload, frozen=True, kw_only=True):
    """The agents of a group or of a namespace."""

    items: tuple[Runner, ...]


class RunnersQuery(msgspec.Struct, frozen=True, rename="kebab"):
    """Which groups are meant: one, or all of a namespace."""

    namespace: Annotated[str, msgspec.Meta(max_length=200)] = ""
    resource_class: Annotated[str, msgspec.Meta(max_length=200)] = ""

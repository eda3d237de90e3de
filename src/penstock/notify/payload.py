"""The bodies of webhooks, with the vendor's names (CircleCI docs: outbound webhooks reference)."""

import msgspec
from msgspec import UNSET, UnsetType


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts; what is unset is left out."""


class Named(Payload, frozen=True, kw_only=True):
    """The webhook itself, or an organization."""

    id: str
    name: str


class Project(Payload, frozen=True, kw_only=True):
    """A project; the slug has the long name of its host (`github/acme/app`)."""

    id: str
    name: str
    slug: str


class Person(Payload, frozen=True, kw_only=True):
    """Somebody a commit names."""

    name: str
    email: str


class Commit(Payload, frozen=True, kw_only=True):
    """What is known of a commit; times are None when it was never read."""

    subject: str
    body: str
    author: Person
    authored_at: str | None
    committer: Person
    committed_at: str | None


class Vcs(Payload, frozen=True, kw_only=True):
    """The commit a pipeline is about."""

    provider_name: str
    origin_repository_url: str
    target_repository_url: str
    revision: str
    commit: Commit
    branch: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET


class Trigger(Payload, frozen=True, kw_only=True):
    """What made a pipeline."""

    type: str


class Pipeline(Payload, frozen=True, kw_only=True):
    """A pipeline; either `vcs` or `trigger_parameters` tells of its commit."""

    id: str
    number: int
    created_at: str
    trigger: Trigger
    trigger_parameters: dict[str, dict[str, str]] | UnsetType = UNSET
    vcs: Vcs | UnsetType = UNSET


class Workflow(Payload, frozen=True, kw_only=True):
    """A workflow; what is sent about a job has no status of it."""

    id: str
    name: str
    status: str | UnsetType = UNSET
    created_at: str
    stopped_at: str | None
    url: str


class Job(Payload, frozen=True, kw_only=True):
    """A job; one that ended before its turn has no number and has not started."""

    id: str
    number: int | None
    name: str
    status: str
    started_at: str | None
    stopped_at: str | None


class Body(Payload, frozen=True, kw_only=True):
    """What is sent; only what it is about is set."""

    type: str
    id: str
    happened_at: str
    webhook: Named
    workflow: Workflow | UnsetType = UNSET
    job: Job | UnsetType = UNSET
    pipeline: Pipeline | UnsetType = UNSET
    project: Project
    organization: Named

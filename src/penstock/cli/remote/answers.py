"""What commands read of the answers of CircleCI's API; the rest is passed over."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all of them."""


class Items(Answer, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    items: list[T]
    next_page_token: str | None = None


class Me(Answer, frozen=True, kw_only=True):
    """Who calls."""

    id: str
    login: str
    name: str = ""


class UsageExport(Answer, frozen=True, kw_only=True):
    """An export of usage, and where its files are once it is completed."""

    usage_export_job_id: str
    state: str
    download_urls: list[str] = []
    error_reason: str = ""


class Made(Answer, frozen=True, kw_only=True):
    """A pipeline that was triggered."""

    id: str
    number: int
    state: str
    created_at: str


class Listed(Answer, frozen=True, kw_only=True):
    """A pipeline in a list, or looked up by its number."""

    id: str
    number: int


class Again(Answer, frozen=True, kw_only=True):
    """A workflow that repeats another."""

    workflow_id: str


class Identified(Answer, frozen=True, kw_only=True):
    """Something of which the id is enough."""

    id: str


class Named(Identified, frozen=True, kw_only=True):
    """Something with a name."""

    name: str
    description: str = ""


class Context(Identified, frozen=True, kw_only=True):
    """A context."""

    name: str
    created_at: str


class ContextVariable(Answer, frozen=True, kw_only=True):
    """A variable of a context; nobody is told its value."""

    variable: str
    updated_at: str


class Restriction(Identified, frozen=True, kw_only=True):
    """Whom a context is for; `name` is that of the project or group."""

    restriction_type: str
    restriction_value: str
    name: str = ""


class NumberedJob(Answer, frozen=True, kw_only=True):
    """A job that was looked up by its number or id."""

    id: str
    name: str
    number: int | None = None
    parallelism: int = 1
    project: Identified


class Artifact(Answer, frozen=True, kw_only=True):
    """A file that a job kept."""

    path: str
    node_index: int
    url: str


class Webhook(Answer, frozen=True, kw_only=True, rename="kebab"):
    """A webhook of a project; its secret is masked."""

    id: str
    name: str
    events: tuple[str, ...]
    url: str
    verify_tls: bool
    signing_secret: str
    created_at: str
    updated_at: str


class Told(Answer, frozen=True, kw_only=True):
    """That what was asked will be done."""

    message: str


class Message(Answer, frozen=True, kw_only=True):
    """What was done, in words."""

    message: str


class Variable(Answer, frozen=True, kw_only=True):
    """A variable, its value masked."""

    name: str
    value: str


class CheckoutKey(Answer, frozen=True, kw_only=True):
    """A key that opens a repository, by its public half."""

    public_key: str = msgspec.field(name="public-key")
    type: str
    fingerprint: str
    preferred: bool

"""What goes over the wire about webhooks, with the vendor's names (CircleCI OpenAPI document: Webhook)."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from penstock.api.circleci.payloads import Payload

Event = Literal["workflow-completed", "job-completed"]
Events = Annotated[tuple[Event, ...], msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(max_length=4000)]


class Scope(Payload, frozen=True, kw_only=True):
    """What a webhook is sent about: a project."""

    id: str
    type: str


class ScopeBody(Payload, frozen=True, kw_only=True):
    """The scope of a new webhook."""

    id: Text
    type: Literal["project"]


class Webhook(Payload, frozen=True, kw_only=True, rename="kebab"):
    """A webhook; its secret is masked."""

    id: str
    scope: Scope
    name: str
    events: tuple[str, ...]
    url: str
    verify_tls: bool
    signing_secret: str
    created_at: str
    updated_at: str


class NewWebhook(Payload, frozen=True, kw_only=True, rename="kebab"):
    """The body of `createWebhook`."""

    name: Text
    events: Events
    url: Text
    verify_tls: bool
    signing_secret: Text
    scope: ScopeBody


class WebhookUpdate(Payload, frozen=True, kw_only=True, rename="kebab"):
    """The body of `updateWebhook`; what is left out stays."""

    name: Text | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    url: Text | UnsetType = UNSET
    signing_secret: Text | UnsetType = UNSET
    verify_tls: bool | UnsetType = UNSET


class WebhooksQuery(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The query of `getWebhooks`."""

    scope_id: Text
    scope_type: Literal["project"]
    page_token: Annotated[str, msgspec.Meta(max_length=2000)] = ""

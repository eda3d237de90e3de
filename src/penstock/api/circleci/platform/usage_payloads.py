"""What goes over the wire about usage exports, with the vendor's names (CircleCI OpenAPI document)."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from penstock.api.circleci.payloads import Payload
from penstock.engine.usage_exports import MOST_ORGANIZATIONS

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
OrganizationId = Annotated[str, msgspec.Meta(max_length=100)]


class UsageExportBody(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when, and of which organizations besides."""

    start: Instant
    end: Instant
    shared_org_ids: Annotated[
        tuple[OrganizationId, ...], msgspec.Meta(max_length=MOST_ORGANIZATIONS)
    ] | None = ()  # fmt: skip


class UsageExport(Payload, frozen=True, kw_only=True):
    """An export that was asked for."""

    usage_export_job_id: str
    state: str
    start: str
    end: str
    download_urls: tuple[str, ...]


class UsageExportStatus(Payload, frozen=True, kw_only=True):
    """How far an export has come."""

    usage_export_job_id: str
    state: str
    download_urls: tuple[str, ...]
    error_reason: str | UnsetType = UNSET


class DownloadQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the address of a file good, and until when."""

    expires: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    signature: Annotated[str, msgspec.Meta(max_length=200)]

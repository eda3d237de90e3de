"""What is sent and answered about custom claims of identity tokens."""

import msgspec


class ClaimsBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be set; what is missing stays."""

    audience: tuple[str, ...] | None = None
    ttl: str | None = None


class ClaimsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be unset, apart by commas."""

    claims: str = ""


class ClaimsAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is set; the times stay when a value goes."""

    org_id: str
    project_id: str = ""
    audience: tuple[str, ...] | None = None
    audience_updated_at: str | None = None
    ttl: str | None = None
    ttl_updated_at: str | None = None

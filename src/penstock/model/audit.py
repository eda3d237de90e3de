"""Who did what: an entry of the audit log."""

from typing import Any

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act that changed who or what there is. It outlives all it speaks of, so it names them by text."""

    id: int
    at: int
    actor: str  # login; "" for the server itself
    actor_uuid: str
    token: str  # UUID of the token that was used, "" for none
    action: str  # `project.rename`
    subject: str  # UUID of what it was done to
    organization: str  # UUID of the organization it was done in, "" for the server
    details: dict[str, Any]  # never a secret

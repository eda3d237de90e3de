"""What is sent and answered about config policies."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class BundleBody(msgspec.Struct, frozen=True, kw_only=True):
    """Policies by the names of their files; none takes all away."""

    policies: dict[str, str] = {}


class PushQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a push only says what it would change."""

    dry: bool = False


class BundleDiff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names of policies that a push made, changed and took away."""

    created: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A policy."""

    content: str
    created_at: str
    created_by: str
    name: str


PolicyBundle = dict[str, tuple[PolicyDocument, ...]]
"""Policies by name, each alone in its list."""


class DecisionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A config that is to be judged, and what policies find below `data.meta`."""

    input: str
    metadata: dict[str, Any] | None = None


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is not kept, and why."""

    rule: str
    reason: str


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision; what is empty is left out."""

    status: str
    reason: str = ""
    enabled_rules: tuple[str, ...] = ()
    hard_failures: tuple[Violation, ...] = ()
    soft_failures: tuple[Violation, ...] = ()


class DecisionLog(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was made, with what it was made from: the hash of each policy."""

    id: str
    created_at: str
    decision: Decision
    metadata: dict[str, Any]
    policies: dict[str, str]
    time_taken_ms: int


class DecisionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions are wanted."""

    status: str = ""
    after: Instant | None = None
    before: Instant | None = None
    branch: str = ""
    project_id: str = ""
    build_number: str = ""
    offset: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)] = 0


class DecisionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether pipelines are judged."""

    enabled: bool


class DecisionSettingsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whether pipelines are to be judged; what is missing stays."""

    enabled: bool | None = None

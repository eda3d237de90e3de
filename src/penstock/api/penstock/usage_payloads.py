"""What goes over the wire about usage in our own API."""

from typing import Annotated

import msgspec

from penstock.api.penstock.paging import PageQuery
from penstock.api.penstock.payloads import Payload

Instant = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]


class UsageQuery(PageQuery, frozen=True):
    """From when to when runs began; without them the last thirty days."""

    start: Instant | None = None
    end: Instant | None = None


class UsageView(Payload, frozen=True, kw_only=True):
    """What the runs of a project on a resource class come to; `credits` is null where no price is known."""

    project: str
    name: str
    executor: str
    resource_class: str
    runs: int
    seconds: float  # of all parallel copies
    credits: float | None

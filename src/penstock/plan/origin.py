"""Where a plan node came from, so that a dialect can show native names again."""

import msgspec

from penstock.kit.marks import Mark


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """The name a node had in its own language and where it was written."""

    name: str
    mark: Mark | None = None
    labels: dict[str, str] = {}  # native words a dialect shows again (matrix values, block names …)

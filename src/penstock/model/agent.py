"""Those who run tasks."""

import msgspec


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A process that takes tasks. It is given only tasks whose labels it carries all of."""

    id: int
    uuid: str
    name: str
    labels: tuple[str, ...]
    slots: int
    created_at: int
    seen_at: int
    disabled: bool = False

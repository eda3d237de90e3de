"""What the event that made a pipeline tells its config; kept, since configs may come later."""

from collections.abc import Mapping

import msgspec

from penstock.engine.facts import VALUES
from penstock.store import pipelines
from penstock.store.database import Transaction

Value = str | int | bool | None


def pack_values(values: Mapping[str, Value]) -> dict[str, str]:
    """The labels that keep the values; each is as long as `forge.hooks` lets it be."""
    return {VALUES: msgspec.json.encode(values).decode()} if values else {}


def load_values(tx: Transaction, pipeline_id: int) -> dict[str, Value]:
    """The values by full name; none for a pipeline that no event made."""
    text = pipelines.load_labels(tx, pipeline_id).get(VALUES, "{}")
    return msgspec.json.decode(text, type=dict[str, Value])

"""Version 0007: letters of one kind and subject are found in their order."""

from penstock.store.migrations.parts import make_index

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The index for that exists."""
    make_index("outbox_in_order", "outbox", "kind", "subject", "id")

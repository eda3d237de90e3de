"""Version 0012: config policies and their decisions."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nothing yet."""

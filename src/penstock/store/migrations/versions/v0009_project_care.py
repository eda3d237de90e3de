"""Version 0009: keys, variables and settings of projects."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""

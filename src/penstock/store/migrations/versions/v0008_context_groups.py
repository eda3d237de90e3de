"""Version 0008: contexts and the groups of people they are for."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""

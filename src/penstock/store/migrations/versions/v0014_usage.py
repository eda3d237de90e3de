"""Version 0014: what jobs used, and exports of it."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Nothing yet."""

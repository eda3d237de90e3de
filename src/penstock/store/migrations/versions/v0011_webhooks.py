"""Version 0011: webhooks that tell others."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""

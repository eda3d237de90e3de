"""Version 0009: a project may be public."""

from alembic import op

from penstock.store.migrations.parts import FLAG, column

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """The column exists; no project is public yet."""
    op.add_column("projects", column("public", FLAG, default="false"))

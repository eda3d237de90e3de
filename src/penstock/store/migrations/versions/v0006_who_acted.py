"""Version 0006: workflows know who started and who stopped them, jobs who stopped them."""

from alembic import op

from penstock.store.migrations.parts import TEXT, column

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """The columns exist; of what is over nobody knows."""
    op.add_column("workflows", column("started_by", TEXT, default="''"))
    op.add_column("workflows", column("canceled_by", TEXT, default="''"))
    op.add_column("jobs", column("canceled_by", TEXT, default="''"))

"""Version 0003: caches may have an end of their time."""

import sqlalchemy as sa
from alembic import op

from penstock.store.migrations.parts import WHOLE, make_index

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Caches have the instant at which they expire; those there are do not expire."""
    op.add_column("caches", sa.Column("expires_at", WHOLE, nullable=True))
    make_index("caches_expiring", "caches", "expires_at", where="expires_at IS NOT NULL")

"""How an older database becomes a present one, by Alembic."""

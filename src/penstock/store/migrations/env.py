"""What Alembic loads to run migrations: it uses the transaction that `run.run_migrations` was given."""

from alembic import context

from penstock.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False
)
context.run_migrations()

"""Version 0005: pipelines are listed by who wanted them, and the workflows of one in their order."""

from alembic import op

from penstock.store.migrations.parts import make_index

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """The indexes for these lists exist."""
    make_index("pipelines_of_actor", "pipelines", "project_id", "actor", "id")
    op.drop_index("workflows_of_pipeline", "workflows")
    make_index("workflows_of_pipeline", "workflows", "pipeline_id", "id")

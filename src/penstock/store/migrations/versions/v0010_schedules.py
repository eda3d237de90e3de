"""Version 0010: schedules."""

from alembic import op

from penstock.store.migrations.parts import (
    BYTEWISE,
    TEXT,
    WHOLE,
    columns,
    identity,
    make_index,
    parent,
    primary_key,
    unique,
)

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """There is a table of what is to run by itself."""
    op.create_table(
        "schedules",
        identity(),
        *columns(TEXT, "uuid"),
        parent("schedules", "project_id", "projects"),
        *columns(BYTEWISE, "branch", "name"),
        *columns(TEXT, "description", "timetable", nullable=True),
        *columns(TEXT, "crons", "parameters", "actor"),
        *columns(WHOLE, "created_at", "updated_at", "armed_at"),
        *columns(WHOLE, "next_at", "fired_at", nullable=True),
        *columns(TEXT, "pipeline", "outcome"),
        primary_key("schedules", "id"),
        unique("schedules", "uuid"),
        unique("schedules", "project_id", "branch", "name"),
    )
    make_index("schedules_due", "schedules", "next_at", "id")
    make_index("schedules_armed", "schedules", "armed_at")

"""What is to run by itself, and when."""

from sqlalchemy import Column, Index, Table, UniqueConstraint

from penstock.store.columns import (
    BytewiseWords,
    Encoded,
    Words,
    encoded,
    identity,
    maybe,
    parent,
    unique_id,
    whole,
    words,
)
from penstock.store.schema.metadata import metadata

schedules = Table(
    "schedules",
    metadata,
    identity(),
    unique_id(),
    parent("project_id", "projects"),
    Column("branch", BytewiseWords, nullable=False),
    Column("name", BytewiseWords, nullable=False),
    Column("description", Words),
    Column("timetable", Encoded),
    encoded("crons"),
    encoded("parameters"),
    words("actor"),
    whole("created_at"),
    whole("updated_at"),
    whole("armed_at"),
    maybe("next_at"),
    maybe("fired_at"),
    words("pipeline"),
    words("outcome"),
    UniqueConstraint("project_id", "branch", "name"),
    Index("schedules_due", "next_at", "id"),
    Index("schedules_armed", "armed_at"),
)

"""The figures of a server that its database knows."""

import time
from collections.abc import Iterator

from penstock.engine.unit import Parts
from penstock.model.errors import PenstockError
from penstock.store.figures import read_figures

_HEARD = 60_000  # milliseconds within which an agent counts as there


def read_gauges(parts: Parts) -> Iterator[tuple[str, str, float]]:
    """Name, meaning and value of each; while the database is away only that it is."""
    begun = time.perf_counter()
    try:
        with parts.db.read() as tx:
            figures = read_figures(tx, seen_since=parts.clock.now() - _HEARD)
    except PenstockError:
        yield "penstock_database_up", "1 when the database answers.", 0
        return
    yield "penstock_database_up", "1 when the database answers.", 1
    yield "penstock_database_seconds", "Seconds that reading these took.", time.perf_counter() - begun
    yield "penstock_tasks_queued", "Tasks that wait for an agent.", figures.queued
    yield "penstock_tasks_running", "Tasks that an agent has.", figures.leased
    yield "penstock_agents", "Agents heard of within a minute.", figures.agents
    yield "penstock_workflows_open", "Workflows that have not ended.", figures.open_workflows
    yield "penstock_outbox_letters", "Promised work that is not done yet.", figures.letters
    yield "penstock_webhooks_waiting", "Deliveries to webhooks that have not ended.", figures.deliveries

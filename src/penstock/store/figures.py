"""How much waits, runs and is there: counted by indexes, whatever the number of past runs."""

from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, func, select

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.queue import count_queued
from penstock.store.schema import agents, outbox, tasks, webhook_deliveries, workflows


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a server's operator watches. `queued_for` is by the labels an agent must carry."""

    queued_for: dict[str, int]
    leased: int  # tasks that an agent has
    agents: int  # heard of since the given instant
    open_workflows: int
    letters: int  # promised work that is not done yet
    deliveries: int  # on their way to webhooks

    @property
    def queued(self) -> int:
        """Tasks that wait for an agent."""
        return sum(self.queued_for.values())


def read_figures(tx: Transaction, *, seen_since: int) -> Figures:
    """The figures of this moment."""
    return Figures(
        queued_for=count_queued(tx),
        leased=tx.execute(_count_leased()).scalar_one(),
        agents=tx.execute(_count_agents(), {"since": seen_since}).scalar_one(),
        open_workflows=tx.execute(_count_open()).scalar_one(),
        letters=tx.execute(select(func.count()).select_from(outbox)).scalar_one(),
        deliveries=tx.execute(_count_deliveries()).scalar_one(),
    )


@cache
def _count_leased() -> Executable:
    return select(func.count()).where(tasks.c.lease_until.is_not(None))


@cache
def _count_deliveries() -> Executable:
    return select(func.count()).select_from(webhook_deliveries).where(rows.literally("due_at IS NOT NULL"))


@cache
def _count_agents() -> Executable:
    return select(func.count()).where(agents.c.seen_at >= bindparam("since"))


@cache
def _count_open() -> Executable:
    return select(func.count()).where(workflows.c.stopped_at.is_(None))

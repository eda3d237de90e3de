"""What lies in the queue and among the timers, and how a test has its way with it."""

from sqlalchemy import select, update

from penstock.model.run import Task
from penstock.store import rows
from penstock.store.database import Database
from penstock.store.schema import tasks, timers
from penstock.store.timers import Timer


def list_queued(db: Database) -> list[Task]:
    """Queued tasks, the next one first."""
    chosen = select(*rows.columns_of(tasks, Task)).where(tasks.c.status == "queued")
    with db.read() as tx:
        return rows.fetch_all(tx, Task, chosen.order_by(tasks.c.priority.desc(), tasks.c.id), {})


def list_timers(db: Database, kind: str) -> list[Timer]:
    """The timers of a kind, the next one first."""
    chosen = select(*rows.columns_of(timers, Timer)).where(timers.c.kind == kind)
    with db.read() as tx:
        return rows.fetch_all(tx, Timer, chosen.order_by(timers.c.due_at, timers.c.id), {})


def put_first(db: Database, job_id: int) -> None:
    """The job's queued tasks are the next to be claimed."""
    with db.write() as tx:
        tx.execute(update(tasks).where(tasks.c.job_id == job_id).values(priority=1000))


def list_leased(db: Database) -> list[Task]:
    """The tasks that some agent has."""
    chosen = select(*rows.columns_of(tasks, Task)).where(tasks.c.lease_until.is_not(None))
    with db.read() as tx:
        return rows.fetch_all(tx, Task, chosen.order_by(tasks.c.id), {})

"""What is on its way to webhooks, and what became of it: a queue, and the log of it.

An attempt begins with a claim, which ends by itself: what a server that died had claimed is due again.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, delete, func, select, update

from penstock.kit.ids import new_id
from penstock.model.webhook import Delivery, DeliveryState, WebhookEvent
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import webhook_deliveries as table
from penstock.store.schema import webhooks


class Queue(msgspec.Struct, frozen=True):
    """A webhook for which something waits: its first delivery, and how its receiver has been.

    `failures` counts attempts in a row that found nobody; before `rests_until` nothing is to be sent.
    `slowness` is how many milliseconds the last attempt took, -1 when there was none.
    """

    webhook_id: int
    project_id: int
    host: str
    failures: int
    rests_until: int
    slowness: int
    due_at: int
    delivery_id: int


class DeliveryChange(msgspec.Struct, kw_only=True):
    """What may change about a delivery; unset fields stay as they are."""

    id: int
    state: DeliveryState | msgspec.UnsetType = msgspec.UNSET
    asked_at: int | msgspec.UnsetType = msgspec.UNSET
    due_at: int | msgspec.UnsetType | None = msgspec.UNSET
    status: int | msgspec.UnsetType | None = msgspec.UNSET
    duration: int | msgspec.UnsetType | None = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET
    answer: str | msgspec.UnsetType = msgspec.UNSET
    body: bytes | msgspec.UnsetType | None = msgspec.UNSET


def promise_deliveries(
    tx: Transaction, wanted: Iterable[tuple[int, WebhookEvent, str]], *, now: int
) -> list[str]:
    """Each webhook (by row id) will be told of its event and subject; returns the UUIDs of the deliveries."""
    values = [
        {
            "uuid": new_id(),
            "webhook_id": webhook_id,
            "event": event.value,
            "subject": subject,
            "state": DeliveryState.WAITING.value,
            "created_at": now,
            "asked_at": now,
            "due_at": now,
        }
        for webhook_id, event, subject in wanted
    ]
    rows.insert_rows(tx, table, values)
    return [str(each["uuid"]) for each in values]


def list_queues(tx: Transaction) -> list[Queue]:
    """Every webhook for which something waits, with the delivery that is due first."""
    return [Queue(*row) for row in tx.execute(_select_queues())]


def claim_delivery(tx: Transaction, queue: Queue, *, now: int, until: int) -> Delivery | None:
    """The first delivery of the queue, which nobody else gets before `until`; None when it is taken."""
    values = {"delivery": queue.delivery_id, "seen": queue.due_at, "now": now, "until": until}
    return rows.fetch_one(tx, Delivery, _claim(), values)


def change_delivery(tx: Transaction, change: DeliveryChange) -> None:
    """The delivery has these fields; nothing happens when it is gone."""
    rows.apply_changes(tx, table, [change])


def delivery_by_uuid(tx: Transaction, webhook_id: int, uuid: str) -> Delivery | None:
    """The webhook's delivery of that UUID."""
    mine = select(*rows.columns_of(table, Delivery)).where(
        table.c.webhook_id == webhook_id, table.c.uuid == uuid
    )
    return rows.fetch_one(tx, Delivery, mine, {})


def lock_delivery(tx: Transaction, delivery_id: int) -> Delivery | None:
    """The delivery, which no other transaction changes until this one ends."""
    mine = select(*rows.columns_of(table, Delivery)).where(table.c.id == delivery_id).with_for_update()
    return rows.fetch_one(tx, Delivery, mine, {})


def load_body(tx: Transaction, delivery_id: int) -> bytes | None:
    """What was sent, packed; None before the first attempt."""
    body: bytes | None = tx.execute(
        select(table.c.body).where(table.c.id == delivery_id)
    ).scalar_one_or_none()
    return body


def list_deliveries(
    tx: Transaction, webhook_id: int, *, before: int | None = None, limit: int = 100
) -> list[Delivery]:
    """The webhook's deliveries, newest first, those with an id below `before`."""
    mine = select(*rows.columns_of(table, Delivery)).where(table.c.webhook_id == webhook_id)
    if before is not None:
        mine = mine.where(table.c.id < before)
    return rows.fetch_all(tx, Delivery, mine.order_by(table.c.id.desc()).limit(limit), {})


def give_up_old(tx: Transaction, before: int, *, error: str) -> int:
    """What has waited since before that instant waits no more, and says why; returns how many."""
    old = (rows.literally("due_at IS NOT NULL"), table.c.state == DeliveryState.WAITING.value)
    given_up = update(table).where(*old, table.c.asked_at < before)
    values = {"state": DeliveryState.FAILED.value, "due_at": None, "error": error}
    return tx.execute(given_up.values(values)).rowcount


def list_crowded(tx: Transaction, most: int) -> list[int]:
    """Row ids of the webhooks that have more deliveries than that."""
    many = select(table.c.webhook_id).group_by(table.c.webhook_id).having(func.count() > most)
    return list(tx.execute(many).scalars())


def prune_deliveries(tx: Transaction, webhook_id: int, *, keep: int) -> int:
    """The webhook keeps its newest deliveries and those that wait; returns how many are gone."""
    mine = select(table.c.id).where(table.c.webhook_id == webhook_id).order_by(table.c.id.desc())
    oldest = tx.execute(mine.offset(keep).limit(1)).scalar_one_or_none()
    if oldest is None:
        return 0
    gone = (table.c.webhook_id == webhook_id, table.c.id <= oldest, table.c.due_at.is_(None))
    return tx.execute(delete(table).where(*gone)).rowcount


def forget_deliveries(tx: Transaction, before: int, *, limit: int = 1000) -> int:
    """Of the oldest deliveries, so many, those that have ended and are from before the instant are gone."""
    oldest = select(table.c.id, table.c.created_at, table.c.due_at).order_by(table.c.id).limit(limit)
    gone = [row.id for row in tx.execute(oldest) if row.created_at < before and row.due_at is None]
    return tx.execute(delete(table).where(table.c.id.in_(gone))).rowcount if gone else 0


@cache
def _claim() -> Executable:
    mine = (table.c.id == bindparam("delivery"), table.c.due_at == bindparam("seen"))
    claimed = update(table).where(*mine)
    values: dict[str, Any] = {
        "state": DeliveryState.SENDING.value,
        "attempts": table.c.attempts + 1,
        "attempted_at": bindparam("now"),
        "due_at": bindparam("until"),
    }
    return claimed.values(values).returning(*rows.columns_of(table, Delivery))


@cache
def _select_queues() -> Executable:
    """One step of an index for each webhook that has something waiting, however much that is."""
    waits = rows.literally("due_at IS NOT NULL")
    waiting = (
        select(func.min(table.c.webhook_id).label("webhook")).where(waits).cte("waiting", recursive=True)
    )
    following = select(func.min(table.c.webhook_id)).where(waits, table.c.webhook_id > waiting.c.webhook)
    waiting = waiting.union_all(select(following.scalar_subquery()).where(waiting.c.webhook.is_not(None)))
    return (
        select(
            webhooks.c.id,
            webhooks.c.project_id,
            webhooks.c.host,
            webhooks.c.failures,
            webhooks.c.rests_until,
            webhooks.c.slowness,
            _first("due_at"),
            _first("id"),
        )
        .select_from(waiting.join(webhooks, webhooks.c.id == waiting.c.webhook))
        .where(_first("id").is_not(None))
    )


def _first(field: str) -> Any:  # noqa: ANN401 - a subquery of any type
    """A column of the delivery that is due first to the webhook."""
    first: Select[Any] = select(table.c[field]).where(
        table.c.webhook_id == webhooks.c.id, rows.literally("webhook_deliveries.due_at IS NOT NULL")
    )
    return first.order_by(table.c.due_at, table.c.id).limit(1).correlate(webhooks).scalar_subquery()

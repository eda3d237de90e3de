"""Outbound webhooks and the queue of what is on its way to them."""

from concurrent.futures import ThreadPoolExecutor

import msgspec

from penstock.kit.ids import new_id
from penstock.model.webhook import Delivery, DeliveryState, Webhook, WebhookEvent
from penstock.store import removal, webhook_deliveries, webhooks
from penstock.store.database import Database, Transaction
from penstock.store.webhook_deliveries import DeliveryChange, Queue
from penstock.store.webhooks import WebhookChange
from tests.support.records import NOW, add_project
from tests.support.statements import plans_of, walks_of

JOB, WORKFLOW = WebhookEvent.JOB_COMPLETED, WebhookEvent.WORKFLOW_COMPLETED


def add_webhook(tx: Transaction, project_id: int, host: str = "a.example:443") -> Webhook:
    record = Webhook(
        id=0,
        uuid=new_id(),
        project_id=project_id,
        name="chat",
        events=(JOB, WORKFLOW),
        url=f"https://{host}/x",
        verify_tls=True,
        signed=False,
        created_at=NOW,
        updated_at=NOW,
    )
    return webhooks.add_webhook(tx, record, host)


def promise(tx: Transaction, webhook: Webhook, count: int = 1, *, now: int = NOW) -> list[str]:
    wanted = [(webhook.id, JOB, new_id()) for _ in range(count)]
    return webhook_deliveries.promise_deliveries(tx, wanted, now=now)


def claim(tx: Transaction, queue: Queue, *, now: int = NOW) -> Delivery | None:
    return webhook_deliveries.claim_delivery(tx, queue, now=now, until=now + 60_000)


def test_a_webhook_is_found_as_it_was_stored_until_it_is_deleted(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        made = add_webhook(tx, project.id)
        assert webhooks.webhook_by_uuid(tx, made.uuid) == made
        assert webhooks.get_webhook(tx, made.id) == made
        assert webhooks.list_webhooks(tx, project.id) == [made]
        assert [each.events for each in webhooks.hold_listeners(tx, project.id)] == [(JOB, WORKFLOW)]
        webhooks.change_webhook(
            tx, WebhookChange(id=made.id, name="other", events=(JOB,), updated_at=NOW + 1)
        )
        changed = msgspec.structs.replace(made, name="other", events=(JOB,), updated_at=NOW + 1)
        assert webhooks.list_webhooks(tx, project.id) == [changed]
        promise(tx, made)
        webhooks.delete_webhook(tx, made.id)
        assert webhooks.list_webhooks(tx, project.id) == []
        assert webhook_deliveries.list_queues(tx) == []


def test_a_project_takes_its_webhooks_with_it(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        made = add_webhook(tx, project.id)
        promise(tx, made)
        assert removal.delete_project(tx, project.id)
        assert webhooks.get_webhook(tx, made.id) is None


def test_each_webhook_has_one_queue_that_begins_with_what_is_due_first(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        first, second = add_webhook(tx, project.id), add_webhook(tx, project.id, "b.example:443")
        [late] = promise(tx, first, now=NOW + 5)
        [early] = promise(tx, first)
        promise(tx, second, 3)
        webhooks.change_webhook(
            tx, WebhookChange(id=second.id, rests_until=NOW + 900, failures=2, slowness=7)
        )
        queues = {each.webhook_id: each for each in webhook_deliveries.list_queues(tx)}
        assert set(queues) == {first.id, second.id}
        assert (queues[first.id].due_at, queues[second.id].rests_until) == (NOW, NOW + 900)
        assert queues[first.id].host == "a.example:443"
        assert (queues[second.id].failures, queues[second.id].slowness) == (2, 7)
        taken = claim(tx, queues[first.id])
        assert taken is not None
        assert (taken.uuid, taken.state, taken.attempts) == (early, DeliveryState.SENDING, 1)
        queues = {each.webhook_id: each for each in webhook_deliveries.list_queues(tx)}
        found = webhook_deliveries.delivery_by_uuid(tx, first.id, late)
        assert found is not None
        assert queues[first.id].delivery_id == found.id


def test_a_delivery_is_claimed_once_and_again_when_its_claim_has_run_out(db: Database) -> None:
    with db.write() as tx:
        made = add_webhook(tx, add_project(tx).id)
        promise(tx, made)
        [queue] = webhook_deliveries.list_queues(tx)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: db.retry(lambda tx: claim(tx, queue)), range(4)))
    assert sum(each is not None for each in taken) == 1
    with db.write() as tx:
        [queue] = webhook_deliveries.list_queues(tx)
        assert queue.due_at == NOW + 60_000
        again = claim(tx, queue, now=NOW + 60_000)
        assert again is not None
        assert again.attempts == 2
        webhook_deliveries.change_delivery(
            tx,
            DeliveryChange(id=again.id, state=DeliveryState.DELIVERED, due_at=None, status=200, duration=5),
        )
        assert webhook_deliveries.list_queues(tx) == []
        [shown] = webhook_deliveries.list_deliveries(tx, made.id)
        assert (shown.status, shown.duration, shown.due_at) == (200, 5, None)


def test_the_log_is_read_newest_first_and_pruned_but_for_what_waits(db: Database) -> None:
    with db.write() as tx:
        made, other = add_webhook(tx, (project := add_project(tx)).id), add_webhook(tx, project.id)
        uuids = promise(tx, made, 10)
        promise(tx, other, 2)
        listed = webhook_deliveries.list_deliveries(tx, made.id, limit=4)
        assert [each.uuid for each in listed] == uuids[:-5:-1]
        rest = webhook_deliveries.list_deliveries(tx, made.id, before=listed[-1].id)
        assert [each.uuid for each in rest] == uuids[5::-1]
        for each in rest[1:]:
            ended = DeliveryChange(id=each.id, state=DeliveryState.DELIVERED, due_at=None)
            webhook_deliveries.change_delivery(tx, ended)
        assert webhook_deliveries.list_crowded(tx, 3) == [made.id]
        assert webhook_deliveries.prune_deliveries(tx, made.id, keep=7) == 3
        kept = [each.uuid for each in webhook_deliveries.list_deliveries(tx, made.id)]
        assert kept == uuids[:2:-1]
        assert webhook_deliveries.prune_deliveries(tx, other.id, keep=0) == 0
        assert webhook_deliveries.forget_deliveries(tx, NOW) == 0
        assert webhook_deliveries.forget_deliveries(tx, NOW + 1, limit=1) == 1
        assert webhook_deliveries.forget_deliveries(tx, NOW + 1) == 1
        assert len(webhook_deliveries.list_deliveries(tx, made.id)) == 5


def test_what_waits_for_too_long_is_given_up_but_not_what_is_under_way(db: Database) -> None:
    with db.write() as tx:
        made = add_webhook(tx, add_project(tx).id)
        promise(tx, made, 2)
        promise(tx, made, now=NOW + 10)
        [queue] = webhook_deliveries.list_queues(tx)
        assert claim(tx, queue) is not None
        assert webhook_deliveries.give_up_old(tx, NOW + 5, error="too late") == 1
        states = [(each.state, each.error) for each in webhook_deliveries.list_deliveries(tx, made.id)]
        assert states == [
            (DeliveryState.WAITING, ""),
            (DeliveryState.FAILED, "too late"),
            (DeliveryState.SENDING, ""),
        ]


def test_what_is_sent_is_kept(db: Database) -> None:
    with db.write() as tx:
        made = add_webhook(tx, add_project(tx).id)
        promise(tx, made)
        [queue] = webhook_deliveries.list_queues(tx)
        assert webhook_deliveries.load_body(tx, queue.delivery_id) is None
        webhook_deliveries.change_delivery(tx, DeliveryChange(id=queue.delivery_id, body=b"\0\xff"))
        assert webhook_deliveries.load_body(tx, queue.delivery_id) == b"\0\xff"
        locked = webhook_deliveries.lock_delivery(tx, queue.delivery_id)
        assert locked is not None
        assert locked.webhook_id == made.id


def test_a_webhook_that_is_being_deleted_stops_no_promise(postgresql_db: Database) -> None:
    db = postgresql_db
    with db.write() as tx:
        project = add_project(tx)
        made = add_webhook(tx, project.id)

    def promise_all() -> int:
        with db.write() as tx:
            found = webhooks.hold_listeners(tx, project.id)
            wanted = [(each.id, JOB, "") for each in found]
            return len(webhook_deliveries.promise_deliveries(tx, wanted, now=NOW))

    with ThreadPoolExecutor(1) as pool:
        with db.write() as tx:
            webhooks.delete_webhook(tx, made.id)
            promised = pool.submit(promise_all)
        assert promised.result(20) == 0


def test_nothing_is_looked_for_in_all_of_the_log(db: Database) -> None:
    with db.write() as tx:
        made = add_webhook(tx, add_project(tx).id)
        promise(tx, made, 3)

    def work(tx: Transaction) -> None:
        [queue] = webhook_deliveries.list_queues(tx)
        webhooks.hold_listeners(tx, made.project_id)
        delivery = claim(tx, queue)
        assert delivery is not None
        webhook_deliveries.delivery_by_uuid(tx, made.id, delivery.uuid)
        webhook_deliveries.list_deliveries(tx, made.id, before=delivery.id)
        webhook_deliveries.prune_deliveries(tx, made.id, keep=1)

    plans = plans_of(db, work)
    assert plans
    assert [line for plan in plans for line in walks_of(plan)] == []

"""Sends what was promised to webhooks: claims deliveries, has them sent side by side, notes how each went.

Only the thread that calls `round` asks the database; the threads that send know nothing but what they send.
"""

import logging
import math
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue

import msgspec

from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.engine.webhook_choice import (
    GIVE_UP_AFTER,
    Limits,
    choose_queues,
    find_next,
    is_news,
    judge_delivery,
    judge_receiver,
)
from penstock.engine.webhook_story import compose_body
from penstock.engine.webhooks import open_secret
from penstock.model.errors import PenstockError
from penstock.model.webhook import Delivery, DeliveryState, Webhook
from penstock.notify.send import Parcel, Receipt
from penstock.notify.sign import sign_body
from penstock.store import packing, webhook_deliveries, webhooks
from penstock.store.database import Transaction
from penstock.store.sealing import Sealer
from penstock.store.webhook_deliveries import DeliveryChange, Queue

_log = logging.getLogger(__name__)

Send = Callable[[Parcel], Receipt]
"""Sends one; takes ten seconds at most, as long as names are resolved in time. Never raises."""

Launch = Callable[[Callable[[], None]], None]
"""Has the work done, in another thread as a rule."""

LEASE = 60_000
"""Milliseconds after which a delivery under way counts as lost."""

FAREWELL = 2.0
"""Seconds that what is under way is given when the server stops."""

TOO_LATE = "it could not be delivered within a day"
_LOOK = 60.0
_AGENT = "CircleCI-Webhook/1.0"


class _Work(msgspec.Struct, frozen=True):
    """One attempt. `body` is what is sent, packed, unless it is kept already."""

    queue: Queue
    delivery: Delivery
    body: bytes = b""


class WebhookDesk:
    """The sending of one server. `wake` is called when there is something to note."""

    def __init__(
        self,
        sealer: Sealer,
        send: Send,
        launch: Launch,
        *,
        wake: Callable[[], None] = lambda: None,
        limits: Limits | None = None,
    ) -> None:
        self._sealer = sealer
        self._send = send
        self._launch = launch
        self._wake = wake
        self._limits = limits or Limits()
        self._under_way: dict[int, Queue] = {}  # by the row id of the delivery
        self._done: SimpleQueue[tuple[_Work, Receipt | None]] = SimpleQueue()
        self._unsaved: list[tuple[_Work, Receipt | None]] = []
        self._looked_at = -math.inf

    def watch(self, wake: Callable[[], None]) -> None:
        """Have this called when there is something to note."""
        self._wake = wake

    def round(self, parts: Parts) -> int | None:
        """Note what has ended, begin what is due; when more is due, None when nothing is known to be."""
        self._note_ends(parts)
        now, moment = parts.clock.now(), parts.clock.monotonic()
        if moment - self._looked_at >= _LOOK:
            self._looked_at = moment
            transact(parts, _give_up_old)
        with parts.db.read() as tx:
            queues = webhook_deliveries.list_queues(tx)
        chosen = choose_queues(queues, self._under_way.values(), now, self._limits)
        if chosen:
            for work in transact(parts, partial(_claim_all, chosen)):
                self._under_way[work.delivery.id] = work.queue
                self._begin(parts, work)
            return now  # behind each of them another may be due
        return find_next(queues, self._under_way.values(), now)

    def close(self, parts: Parts) -> None:
        """What is under way has a moment to end; what has not is sent again later."""
        deadline = parts.clock.monotonic() + FAREWELL
        while self._under_way and (left := deadline - parts.clock.monotonic()) > 0:
            try:
                self._unsaved.append(self._done.get(timeout=left))
            except Empty:
                break
            self._note_ends(parts)

    def _begin(self, parts: Parts, work: _Work) -> None:
        """Have it sent; what cannot be sent at all has ended with that."""
        try:
            with parts.db.read() as tx:
                made = self._pack(tx, parts.base_url, work)
            if made is None:
                self._done.put((work, None))
                return
            body, parcel = made
            self._launch(partial(self._carry, msgspec.structs.replace(work, body=body), parcel))
        except PenstockError as error:
            self._done.put((work, Receipt(error=str(error), ours=True)))
        except Exception as error:  # noqa: BLE001 - the outermost loop over deliveries: the others must go on
            _log.exception("delivery %s cannot be made", work.delivery.uuid)
            self._done.put((work, Receipt(error=f"internal error ({type(error).__name__})", ours=True)))

    def _carry(self, work: _Work, parcel: Parcel) -> None:
        """Send it; called in a thread of its own."""
        try:
            receipt = self._send(parcel)
        except Exception as error:  # noqa: BLE001 - the outermost frame of the thread
            _log.exception("delivery %s failed", work.delivery.uuid)
            receipt = Receipt(error=f"internal error ({type(error).__name__})", ours=True)
        self._done.put((work, receipt))
        self._wake()

    def _pack(self, tx: Transaction, base_url: str, work: _Work) -> tuple[bytes, Parcel] | None:
        """The body to keep, and what is sent where; None when there is nothing to tell any more."""
        webhook = webhooks.get_webhook(tx, work.queue.webhook_id)
        kept = webhook_deliveries.load_body(tx, work.delivery.id)
        if webhook is None:
            return None
        body = packing.unpack(kept) if kept else compose_body(tx, base_url, work.delivery, webhook)
        if body is None:
            return None
        secret = open_secret(tx, self._sealer, webhook)
        return b"" if kept else packing.pack(body), _make_parcel(webhook, work.delivery, body, secret)

    def _note_ends(self, parts: Parts) -> None:
        """Every attempt that has ended is noted, or will be by the next round when that fails."""
        while True:
            try:
                self._unsaved.append(self._done.get_nowait())
            except Empty:
                break
        if self._unsaved:
            ended = tuple(self._unsaved)
            transact(parts, lambda unit: _note_all(unit, ended))
            self._unsaved.clear()
            for work, _ in ended:
                self._under_way.pop(work.delivery.id, None)


def _claim_all(chosen: list[Queue], unit: Unit) -> list[_Work]:
    """Those that nobody else was quicker to claim."""
    until = unit.now + LEASE
    claimed = [
        (queue, webhook_deliveries.claim_delivery(unit.tx, queue, now=unit.now, until=until))
        for queue in sorted(chosen, key=lambda each: each.delivery_id)
    ]
    return [_Work(queue, delivery) for queue, delivery in claimed if delivery is not None]


def _note_all(unit: Unit, ended: tuple[tuple[_Work, Receipt | None], ...]) -> None:
    """What became of each; receivers before deliveries, as whoever deletes a webhook goes about it."""
    changes: list[DeliveryChange] = []
    for work, receipt in sorted(ended, key=lambda each: each[0].queue.webhook_id):
        if receipt is None:
            changes.append(DeliveryChange(id=work.delivery.id, state=DeliveryState.DROPPED, due_at=None))
            continue
        seen = judge_receiver(work.queue, receipt, unit.now)
        if is_news(work.queue, seen):
            webhooks.change_webhook(unit.tx, seen)
        rests_until = seen.rests_until if isinstance(seen.rests_until, int) else 0
        change = judge_delivery(work.delivery, receipt, rests_until, unit.now)
        if work.body:
            change.body = work.body
        if change.state is DeliveryState.FAILED:
            _log.info("delivery %s is given up: %s", work.delivery.uuid, receipt.error)
        changes.append(change)
    for change in sorted(changes, key=lambda each: each.id):
        webhook_deliveries.change_delivery(unit.tx, change)


def _give_up_old(unit: Unit) -> None:
    webhook_deliveries.give_up_old(unit.tx, unit.now - GIVE_UP_AFTER, error=TOO_LATE)


def _make_parcel(webhook: Webhook, delivery: Delivery, body: bytes, secret: bytes) -> Parcel:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": _AGENT,
        "circleci-event-type": delivery.event.value,
    }
    if secret:
        headers["circleci-signature"] = sign_body(secret, body)
    return Parcel(url=webhook.url, headers=headers, body=body, verify_tls=webhook.verify_tls)

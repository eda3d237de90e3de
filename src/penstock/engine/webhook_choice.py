"""Who is told next, and what follows from how it went; pure.

Many receivers may be slow or gone at once. None of them may keep the others waiting, so each webhook is sent
one thing at a time, each host a few, those that were slow or gone share a part of what is sent at once, and
some room is left to those that were quick.
"""

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from penstock.forge.status.send import find_wait
from penstock.model.webhook import Delivery, DeliveryState, WebhookEvent
from penstock.notify.send import Receipt
from penstock.store.webhook_deliveries import DeliveryChange, Queue
from penstock.store.webhooks import WebhookChange

GIVE_UP_AFTER = 86_400_000
"""Milliseconds after which what could not be delivered is given up."""

FIRST_REST = 5_000
GROWTH = 3
LONGEST_REST = 3_600_000
"""Milliseconds between attempts at one delivery: so many at first, then times that, and at most these."""

MOST_AHEAD = LONGEST_REST + 60_000
"""Milliseconds; nothing is ever due later than that."""

LONGEST_RECEIVER_REST = 600_000
"""Milliseconds a receiver that is away is left alone, at most."""

SLOW = 2_000
"""Milliseconds after which an answer is a slow one."""

_AWAY = {429, 502, 503, 504}
"""What is answered by, or in the place of, a receiver that can take nothing at present."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is sent at once, by one server.

    In all, to one host, to those that were slow or gone, and to these with those that were never tried.
    """

    slots: int = 64
    of_host: int = 8
    of_troubled: int = 16
    of_unproven: int = 48


def choose_queues(
    queues: Iterable[Queue], under_way: Collection[Queue], now: int, limits: Limits
) -> list[Queue]:
    """The webhooks to send something to now, beside those under way; projects take turns."""
    hosts = Counter(each.host for each in under_way)
    troubled = sum(is_troubled(each) for each in under_way)
    unproven = sum(is_unproven(each) for each in under_way)
    room = limits.slots - len(under_way)
    chosen: list[Queue] = []
    for queue in _in_turn(queues, under_way, now):
        if len(chosen) >= room:
            break
        is_slow, is_open = is_troubled(queue), is_unproven(queue)
        full = (is_slow and troubled >= limits.of_troubled) or (is_open and unproven >= limits.of_unproven)
        if full or hosts[queue.host] >= limits.of_host:
            continue
        hosts[queue.host] += 1
        troubled += is_slow
        unproven += is_open
        chosen.append(queue)
    return chosen


def _in_turn(queues: Iterable[Queue], under_way: Collection[Queue], now: int) -> list[Queue]:
    """Those that are ready: of projects for which less is done before others, then by when they were due."""
    busy = {each.webhook_id for each in under_way}
    done = Counter(each.project_id for each in under_way)
    ranked: list[tuple[int, int, Queue]] = []
    for queue in sorted(queues, key=lambda each: (each.due_at, each.delivery_id)):
        if find_ready(queue, now) <= now and queue.webhook_id not in busy:
            ranked.append((done[queue.project_id], len(ranked), queue))
            done[queue.project_id] += 1
    return [queue for *_, queue in sorted(ranked, key=lambda each: each[:2])]


def find_next(queues: Iterable[Queue], under_way: Collection[Queue], now: int) -> int | None:
    """When the next webhook becomes ready, None when none will; what is ready now waits for room."""
    busy = {each.webhook_id for each in under_way}
    coming = (find_ready(each, now) for each in queues if each.webhook_id not in busy)
    return min((each for each in coming if each > now), default=None)


def find_ready(queue: Queue, now: int) -> int:
    """When something can be sent; a clock that was set back puts nothing off for long."""
    return max(now if each > now + MOST_AHEAD else each for each in (queue.due_at, queue.rests_until))


def is_troubled(queue: Queue) -> bool:
    """True when its receiver was slow or gone the last time."""
    return queue.failures > 0 or queue.slowness >= SLOW


def is_unproven(queue: Queue) -> bool:
    """False when its receiver was quick the last time."""
    return queue.slowness < 0 or is_troubled(queue)


def judge_delivery(delivery: Delivery, receipt: Receipt, rests_until: int, now: int) -> DeliveryChange:
    """What becomes of the delivery; `rests_until` is until when its receiver is left alone."""
    change = DeliveryChange(
        id=delivery.id,
        status=receipt.status,
        duration=receipt.duration,
        error=receipt.error,
        answer=receipt.answer,
    )
    late = now - delivery.asked_at >= GIVE_UP_AFTER
    if receipt.delivered:
        change.state, change.due_at = DeliveryState.DELIVERED, None
    elif receipt.final or late or delivery.event is WebhookEvent.PING:
        change.state, change.due_at = DeliveryState.FAILED, None
    else:
        change.state = DeliveryState.WAITING
        change.due_at = max(rests_until, now if rests_until else now + find_rest(delivery.attempts))
    return change


def judge_receiver(queue: Queue, receipt: Receipt, now: int) -> WebhookChange:
    """How the receiver is seen from now on: one that is away is left alone, longer each time."""
    change = WebhookChange(id=queue.webhook_id, slowness=receipt.duration, failures=0, rests_until=0)
    silent = receipt.status is None and not receipt.final and not receipt.ours
    if silent or receipt.status in _AWAY:
        change.failures = queue.failures + 1
        asked = find_wait({"retry-after": receipt.wait}, now / 1000)
        rest = min(find_rest(change.failures), LONGEST_RECEIVER_REST)
        change.rests_until = now + max(round(asked * 1000), rest)
    return change


def is_news(queue: Queue, change: WebhookChange) -> bool:
    """False when the receiver is seen as it was."""
    slowness = change.slowness if isinstance(change.slowness, int) else queue.slowness
    seen = (queue.failures, queue.rests_until, queue.slowness < 0, queue.slowness >= SLOW)
    return seen != (change.failures, change.rests_until, slowness < 0, slowness >= SLOW)


def find_rest(attempts: int) -> int:
    """Milliseconds to wait after so many attempts that failed."""
    rest: int = FIRST_REST * GROWTH ** min(attempts - 1, 20)
    return min(rest, LONGEST_REST)

"""The sending of webhooks in a server: how far they may go, and the thread that sees to it."""

import threading
import time
from collections.abc import Callable
from functools import partial

from penstock.bootstrap.loops import Loop
from penstock.bootstrap.settings import Settings
from penstock.engine.unit import Parts
from penstock.engine.webhook_desk import WebhookDesk
from penstock.engine.webhook_events import WEBHOOK
from penstock.engine.webhook_log import prune_log
from penstock.notify.address import Reach, read_network
from penstock.notify.send import Sender
from penstock.store.sealing import Sealer

POLL = 5.0
"""Seconds between looks at what waits, which is also looked at whenever this server promises something."""

PRUNE = 600.0
"""Seconds between looks at the logs of webhooks."""

_AT_ONCE = 0.1
_IDLE, _LONGEST_IDLE = 4, 0.25
"""How long a round is rested from, in lengths of it, and in seconds at most."""


def read_reach(settings: Settings) -> Reach:
    """Where webhooks may be sent. Raises InvalidError for what is no network."""
    return Reach(
        protocols=frozenset(settings.webhook_protocols),
        ports=frozenset(settings.webhook_ports),
        networks=tuple(read_network(each) for each in settings.webhook_networks),
    )


def make_webhook_loops(parts: Parts, settings: Settings, sealer: Sealer) -> list[Loop]:
    """The loops, not yet started; any number of servers may run them at once."""
    desk = WebhookDesk(sealer, Sender(read_reach(settings)).send, _launch)
    loop = Loop("webhooks", partial(_look, desk, parts), partial(desk.close, parts))
    desk.watch(loop.wake)
    parts.post.watch(WEBHOOK, loop.wake)
    return [loop, Loop("webhook-log", partial(_prune, parts))]


def _launch(work: Callable[[], None]) -> None:
    """Have it done by a thread of its own, which the process does not wait for when it ends."""
    threading.Thread(target=work, name="penstock-webhook", daemon=True).start()


def _look(desk: WebhookDesk, parts: Parts) -> float:
    """Do what is due; the seconds until the next is.

    However much waits, and however often there is something new, most of the processor is left to others.
    """
    begun = time.monotonic()
    due = desk.round(parts)
    time.sleep(min((time.monotonic() - begun) * _IDLE, _LONGEST_IDLE))
    return POLL if due is None else min(max((due - parts.clock.now()) / 1000, 0.01), POLL)


def _prune(parts: Parts) -> float:
    return _AT_ONCE if prune_log(parts) else PRUNE

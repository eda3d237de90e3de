"""The recurring work of a server: what time causes, what was promised, what is to go. Safe beside others."""

import time
from collections.abc import Callable, Mapping
from functools import partial

from penstock.api.circleci.platform.usage_csv import UsageTable
from penstock.bootstrap.lease_watch import GRACE, LeaseWatch
from penstock.bootstrap.leftovers import Leftovers
from penstock.bootstrap.loops import Loop
from penstock.bootstrap.settings import Settings
from penstock.bootstrap.webhooks import make_webhook_loops
from penstock.engine.deliver import Deliver, deliver_letters
from penstock.engine.echo import Echo
from penstock.engine.firing import SCHEDULE, fire_schedules
from penstock.engine.launch import Workshop
from penstock.engine.push import PUSH, PushDesk
from penstock.engine.removal import sweep
from penstock.engine.retention import MOST_AT_ONCE, expire_pipelines
from penstock.engine.scheduled import ScheduleDesk
from penstock.engine.segments import sweep_segments
from penstock.engine.signing_keys import tend_keys
from penstock.engine.status_desk import StatusDesk
from penstock.engine.statuses import STATUS
from penstock.engine.stranded import refuse_stranded
from penstock.engine.timers import tick
from penstock.engine.unit import Parts
from penstock.engine.usage_desk import LEASE as USAGE_LEASE
from penstock.engine.usage_desk import UsageDesk, sweep_usage
from penstock.engine.usage_exports import USAGE
from penstock.forge.status.request import Request
from penstock.forge.status.send import Sent, send_request
from penstock.plan.resources import parse_prices
from penstock.store.sealing import Sealer

TICK = 0.5
"""Seconds between looks at timers, leases and the outbox."""

STRANDED = 20.0
"""Seconds between looks for jobs that no agent could take."""

SWEEP = 3600.0
"""Seconds between sweeps."""

REMOVAL = 30.0
"""Seconds between looks for what was deleted and is to be taken apart."""

LEFTOVER = 86400.0
"""Seconds after which what a killed writer left is nobody's any more."""

DAY = 86_400_000

POLL = 5.0
"""Seconds between looks at the outbox, which is also looked at whenever this server posts a letter."""

PUSHES = 8
"""Pushes that are fetched and compiled at once, each of another project: so many origins may hang."""

PUSH_LEASE = 10_000
"""Milliseconds after which another server takes a push for dropped; both may build it, it is made once."""

SCHEDULES = 4
"""Pipelines of schedules that are fetched and compiled at once, each of another project."""

FIRING = 1.0
"""Seconds between looks for schedules that are due."""

STATUSES = 2
"""Statuses that are told to hosts at once."""

STATUS_LEASE = 60_000
"""Milliseconds after which another server takes a status for dropped; a host has much less time to answer."""


def make_loops(
    parts: Parts, settings: Settings, workshop: Workshop, sealer: Sealer, leftovers: Leftovers
) -> list[Loop]:
    """The loops, not yet started. Rows are claimed, so any number of servers may run them at once."""
    prices = parse_prices(settings.credit_prices)
    pushes, statuses = PushDesk(workshop), StatusDesk(sealer, _send)
    scheduled = ScheduleDesk(workshop)
    carriers = [
        *(partial(_make_carrier, {PUSH: pushes.deliver}, PUSH_LEASE) for _ in range(PUSHES)),
        *(partial(_make_carrier, {SCHEDULE: scheduled.deliver}, PUSH_LEASE) for _ in range(SCHEDULES)),
        *(partial(_make_carrier, {STATUS: statuses.deliver}, STATUS_LEASE) for _ in range(STATUSES)),
        partial(_make_carrier, {USAGE: UsageDesk(UsageTable(prices)).deliver}, USAGE_LEASE),
    ]
    echoes: list[Loop] = []
    if not parts.db.is_sqlite:
        echo = Echo(parts)
        echoes = [Loop("echo", echo.tell), Loop("ear", echo.hear, echo.close)]
    return [
        *echoes,
        Loop("timers", partial(_look, parts, partial(_tick, LeaseWatch(settings.agent_lease * GRACE)), TICK)),
        Loop("schedules", partial(_look, parts, fire_schedules, FIRING)),
        Loop("stranded", partial(_refuse_stranded, parts, settings.agent_grace)),
        *(make(parts, f"letters-{number}") for number, make in enumerate(carriers)),
        *make_webhook_loops(parts, settings, sealer),
        Loop("remover", partial(_remove, parts)),
        Loop("signing keys", partial(_tend, parts, settings.signing_key_days)),
        Loop("sweeper", partial(_sweep, parts, settings.retention, leftovers, workshop)),
    ]


def _make_carrier(kinds: Mapping[str, Deliver], lease: int, parts: Parts, name: str) -> Loop:
    """Delivers letters of these kinds one by one, the moment they are posted."""
    work = partial(deliver_letters, kinds=kinds, most=1, lease=lease)
    loop = Loop(name, partial(_look, parts, work, POLL))
    for kind in kinds:
        parts.post.watch(kind, loop.wake)
    return loop


def _send(request: Request) -> Sent:
    return send_request(request, now=time.time())


def _look(parts: Parts, work: Callable[[Parts], int | None], rest: float) -> float:
    """Do what is due; the seconds until the next is, and at most `rest`: others may make it due sooner."""
    due = work(parts)
    if due is None:
        return rest
    return min(max((due - parts.clock.now()) / 1000, 0.01), rest)


def _tick(watch: LeaseWatch, parts: Parts) -> int | None:
    due = tick(parts, judges=watch.is_open())
    watch.note_round()
    return due


def _refuse_stranded(parts: Parts, grace: float) -> float:
    """Look as often as it takes to be no later than a tenth of the time."""
    refuse_stranded(parts, grace=round(grace * 1000))
    return min(max(grace / 10, TICK), STRANDED)


def _remove(parts: Parts) -> float:
    return TICK if sweep(parts) else REMOVAL


def _tend(parts: Parts, days: int) -> float:
    tend_keys(parts, days)
    return SWEEP


def _sweep(parts: Parts, days: int, leftovers: Leftovers, workshop: Workshop) -> float:
    leftovers.remove()
    workshop.sweep()
    parts.blobs.sweep_leftovers(time.time() - LEFTOVER)
    sweep_segments(parts)
    sweep_usage(parts)
    if days and expire_pipelines(parts, before=parts.clock.now() - days * DAY) >= MOST_AT_ONCE:
        return TICK
    return SWEEP

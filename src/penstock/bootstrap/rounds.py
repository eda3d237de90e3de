"""The recurring work of a server: what time causes, what was promised, what is to go. Safe beside others."""

import time
from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import select

from penstock.bootstrap.leftovers import Leftovers
from penstock.bootstrap.loops import Loop
from penstock.bootstrap.settings import Settings
from penstock.engine.deliver import Deliver, deliver_letters
from penstock.engine.echo import Echo
from penstock.engine.removal import sweep
from penstock.engine.retention import MOST_AT_ONCE, expire_pipelines
from penstock.engine.timers import tick
from penstock.engine.unit import Parts
from penstock.store.upgrade import HEAD, version_table

TICK = 0.5
"""Seconds between looks at timers, leases and the outbox."""

SWEEP = 3600.0
"""Seconds between sweeps."""

WATCH = 5.0
"""Seconds between looks at the form of the tables."""

REMOVAL = 30.0
"""Seconds between looks for what was deleted and is to be taken apart."""

LEFTOVER = 86400.0
"""Seconds after which what a killed writer left is nobody's any more."""

DAY = 86_400_000

LETTERS: Mapping[str, Deliver] = {}
"""Who delivers letters of the outbox, by their kind."""


def make_loops(
    parts: Parts, settings: Settings, leftovers: Leftovers, leave: Callable[[str], None]
) -> list[Loop]:
    """The loops, not yet started. Rows are claimed, so any number of servers may run them at once.

    `leave` is called with the reason when the server must not go on.
    """
    loops = [Loop("timers", partial(_look, parts, tick)), Loop("schema", partial(_watch, parts, leave))]
    if LETTERS:
        loops.append(Loop("outbox", partial(_look, parts, partial(deliver_letters, kinds=LETTERS))))
    if not parts.db.is_sqlite:
        echo = Echo(parts)
        loops += [Loop("echo", echo.tell), Loop("ear", echo.hear, echo.close)]
    loops.append(Loop("remover", partial(_remove, parts)))
    loops.append(Loop("sweeper", partial(_sweep, parts, settings.retention, leftovers)))
    return loops


def _look(parts: Parts, work: Callable[[Parts], int | None]) -> float:
    """Do what is due; the rest until the next is, and at most a tick: others may make it due sooner."""
    due = work(parts)
    if due is None:
        return TICK
    return min(max((due - parts.clock.now()) / 1000, 0.01), TICK)


def _watch(parts: Parts, leave: Callable[[str], None]) -> float:
    """Rows of a form that this program does not know must not be touched by it."""
    with parts.db.read() as tx:
        version = tx.execute(select(version_table.c.version_num)).scalar_one()
    if version != HEAD:
        leave(f"a newer penstock has made schema {version} of the database's {HEAD}: upgrade this one")
    return WATCH


def _remove(parts: Parts) -> float:
    return TICK if sweep(parts) else REMOVAL


def _sweep(parts: Parts, days: int, leftovers: Leftovers) -> float:
    leftovers.remove()
    parts.blobs.sweep_leftovers(time.time() - LEFTOVER)
    if days and expire_pipelines(parts, before=parts.clock.now() - days * DAY) >= MOST_AT_ONCE:
        return TICK
    return SWEEP

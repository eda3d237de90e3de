"""The recurring work of a server: what time causes, and what is swept away. Safe beside other servers."""

import time

from penstock.bootstrap.loops import Loop
from penstock.bootstrap.settings import Settings
from penstock.engine.timers import tick
from penstock.engine.unit import Parts

TICK = 0.5
"""Seconds between looks at timers and leases."""

SWEEP = 3600.0
"""Seconds between sweeps."""

LEFTOVER = 86400.0
"""Seconds after which what a killed writer left is nobody's any more."""


def make_loops(parts: Parts, settings: Settings) -> list[Loop]:
    """The loops, not yet started. Rows are claimed, so any number of servers may run them at once."""
    del settings
    return [
        Loop("timers", lambda: _look_at_timers(parts)),
        Loop("sweeper", lambda: _sweep(parts)),
    ]


def _look_at_timers(parts: Parts) -> float:
    due = tick(parts)
    if due is None:
        return TICK
    return min(max((due - parts.clock.now()) / 1000, 0.01), TICK)


def _sweep(parts: Parts) -> float:
    parts.blobs.sweep_leftovers(time.time() - LEFTOVER)
    return SWEEP

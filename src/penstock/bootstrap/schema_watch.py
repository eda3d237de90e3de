"""Notices when a newer program has upgraded the database under a running server, which must leave then."""

from collections.abc import Callable
from functools import partial

from penstock.bootstrap.loops import Loop
from penstock.engine.unit import Parts
from penstock.store.upgrade import HEAD, stored_version

WATCH = 5.0
"""Seconds between looks."""


def make_watch(parts: Parts, leave: Callable[[str], None]) -> Loop:
    """A loop, not yet started, that calls `leave` with the reason when the server must not go on."""
    return Loop("schema", partial(_look, parts, leave))


def _look(parts: Parts, leave: Callable[[str], None]) -> float:
    with parts.db.read() as tx:
        version = stored_version(tx)
    if version != HEAD:
        leave(f"a newer penstock has made schema {version} of the database's {HEAD}: upgrade this one")
    return WATCH

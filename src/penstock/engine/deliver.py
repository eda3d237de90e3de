"""Keeps what transactions promised: takes letters from the outbox and hands each to who knows its kind."""

import logging
from collections.abc import Callable, Mapping

from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.model.errors import PenstockError
from penstock.store import outbox
from penstock.store.database import Transaction
from penstock.store.outbox import Letter

_log = logging.getLogger(__name__)

Deliver = Callable[[Parts, Letter], None]
"""Does what a letter asks. Raises PenstockError to be asked again later; may be asked twice."""

LEASE = 120_000
"""Milliseconds a letter may take before it counts as dropped."""

FIRST_REST = 2_000
LONGEST_REST = 600_000
MOST_ATTEMPTS = 12
"""Tries before a letter is given up: about an hour."""


def deliver_letters(parts: Parts, kinds: Mapping[str, Deliver]) -> int | None:
    """Deliver what is due; returns when the next letter is due, None when there is none.

    Several servers may do so at once: nobody else gets a letter while its lease lasts.
    """
    now = parts.clock.now()
    with parts.db.read() as tx:
        due = outbox.next_due(tx)
    if due is None or due > now:
        return due
    for letter in transact(parts, lambda unit: outbox.take_due(unit.tx, now, lease_until=now + LEASE)):
        error = _deliver(parts, letter, kinds)
        transact(parts, lambda unit, letter=letter, error=error: _settle(unit.tx, unit.now, letter, error))  # type: ignore[misc]  # mypy knows no defaults of lambdas
    with parts.db.read() as tx:
        return outbox.next_due(tx)


def _deliver(parts: Parts, letter: Letter, kinds: Mapping[str, Deliver]) -> str:
    """Why it could not be delivered, "" when it was."""
    deliver = kinds.get(letter.kind)
    if deliver is None:
        return f"nobody knows letters of the kind {letter.kind!r}"
    try:
        deliver(parts, letter)
    except PenstockError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the outermost loop over letters: the others must go on
        _log.exception("letter %d (%s) cannot be delivered", letter.id, letter.kind)
        return f"internal error ({type(error).__name__})"
    return ""


def _settle(tx: Transaction, now: int, letter: Letter, error: str) -> None:
    """Strike the letter off, or note when to try again."""
    if error and letter.attempts < MOST_ATTEMPTS:
        rest = min(FIRST_REST * 2 ** (letter.attempts - 1), LONGEST_REST)
        outbox.postpone_letter(tx, letter.id, due_at=now + rest, error=error)
        return
    if error:
        _log.error("letter %d (%s) is given up: %s", letter.id, letter.kind, error)
    outbox.finish_letter(tx, letter.id)

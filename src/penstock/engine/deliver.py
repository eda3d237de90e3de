"""Keeps what transactions promised: takes letters from the outbox and hands each to who knows its kind."""

import logging
from collections.abc import Callable, Mapping

import msgspec

from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.model.errors import PenstockError, UnavailableError
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
MOST_ATTEMPTS = 14
"""Tries before a letter is given up: about an hour."""


class LaterError(UnavailableError):
    """The letter can be delivered when `seconds` have passed, and not before."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


def is_last_try(letter: Letter) -> bool:
    """True when the letter is given up should this try fail."""
    return letter.attempts >= MOST_ATTEMPTS


def deliver_letters(
    parts: Parts, kinds: Mapping[str, Deliver], *, most: int = 50, lease: int = LEASE
) -> int | None:
    """Deliver what is due of these kinds, at most so many; returns when the next is due, None for none.

    Several servers may do so at once: nobody else gets a letter while its lease lasts.
    """
    now = parts.clock.now()
    with parts.db.read() as tx:
        due = outbox.next_due(tx, kinds)
    if due is None or due > now:
        return due
    taken = transact(
        parts, lambda unit: outbox.take_due(unit.tx, kinds, now, lease_until=now + lease, limit=most)
    )
    for letter in taken:
        rest = _deliver(parts, letter, kinds)
        transact(parts, lambda unit, letter=letter, rest=rest: _settle(unit.tx, unit.now, letter, rest))  # type: ignore[misc]  # mypy knows no defaults of lambdas
    with parts.db.read() as tx:
        return outbox.next_due(tx, kinds)


class _Failure(msgspec.Struct, frozen=True):
    """Why a letter could not be delivered, and for how many seconds it is of no use to try again."""

    error: str
    seconds: float = 0.0


def _deliver(parts: Parts, letter: Letter, kinds: Mapping[str, Deliver]) -> _Failure | None:
    """What was in the way, None when the letter was delivered."""
    try:
        kinds[letter.kind](parts, letter)
    except LaterError as error:
        return _Failure(str(error), error.seconds)
    except PenstockError as error:
        return _Failure(str(error))
    except Exception as error:  # noqa: BLE001 - the outermost loop over letters: the others must go on
        _log.exception("letter %d (%s) cannot be delivered", letter.id, letter.kind)
        return _Failure(f"internal error ({type(error).__name__})")
    return None


def _settle(tx: Transaction, now: int, letter: Letter, failure: _Failure | None) -> None:
    """Strike the letter off, or note when to try again."""
    if failure is not None and not is_last_try(letter):
        rest = min(FIRST_REST * 2 ** (letter.attempts - 1), LONGEST_REST)
        rest = max(rest, round(failure.seconds * 1000))
        outbox.postpone_letter(tx, letter, due_at=now + rest, error=failure.error)
        return
    if failure is not None:
        _log.error("letter %d (%s) is given up: %s", letter.id, letter.kind, failure.error)
    outbox.finish_letter(tx, letter)

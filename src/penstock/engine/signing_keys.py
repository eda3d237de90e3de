"""The keys of identity tokens: listed, changed by people or by age, and forgotten when nobody needs them.

known (published) -> signs (from `signs_at` on, until another does) -> known, until all it signed is over
"""

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.signer import Pair, Signer
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.model.errors import ConflictError, RefusedError
from penstock.model.identity import LONGEST_LIFE, KeyState, KnownKey, SigningKey
from penstock.store import signing_keys

LEAD = 86_400_000
"""Milliseconds a key is published before it signs: who checks tokens keeps what they know for a while."""

SLACK = 3_600_000
"""Milliseconds a key is known longer than what it signed, for clocks that are not alike."""

DAY = 86_400_000


def list_keys(parts: Parts, by: Principal) -> list[KnownKey]:
    """The published keys, in the order in which they sign. Raises ForbiddenError."""
    require(by, Action.CHANGE_SIGNING_KEYS)
    with parts.db.read() as tx:
        known = signing_keys.list_keys(tx)
    return _describe(known, parts.clock.now())


def rotate_keys(
    parts: Parts, by: Principal, *, at_once: bool = False, withdraw: bool = False
) -> list[KnownKey]:
    """A new key is published and signs after `LEAD`, or at once; the keys that are known then.

    With `withdraw` it signs at once, and no other key is known any more: what they signed is void. Raises
    ForbiddenError, RefusedError where nothing is signed, ConflictError when a key is to follow already.
    """
    require(by, Action.CHANGE_SIGNING_KEYS)
    signer = _find_signer(parts)
    made = signer.generate()

    def work(unit: Unit) -> list[KnownKey]:
        signing_keys.lock_keys(unit.tx)
        unit.catch_up()
        known = signing_keys.list_keys(unit.tx)
        following = [key for key in known if key.signs_at > unit.now]
        if withdraw:
            signing_keys.remove_keys(unit.tx, [key.id for key in known])
        if following and at_once and not withdraw:
            signing_keys.move_key(unit.tx, following[0].id, signs_at=unit.now)
            kid = following[0].kid
        elif following and not withdraw:
            raise ConflictError("a key is to follow already: let it sign at once, or wait")
        else:
            soon = unit.now if at_once or withdraw or not known else unit.now + LEAD
            kid = signer.keep(unit.tx, made, signs_at=soon).kid
        note(unit, by, "identity.rotate", kid, at_once=at_once or withdraw, withdraw=withdraw)
        return _describe(signing_keys.list_keys(unit.tx), unit.now)

    return transact(parts, work)


def tend_keys(parts: Parts, days: int) -> None:
    """A key that has signed for so many days (0 is for ever) is followed by another; spent ones are gone."""
    if parts.signer is None:
        return
    with parts.db.read() as tx:
        known = signing_keys.list_keys(tx)
    now = parts.clock.now()
    due = _is_due(known, now, days)
    if due or _list_spent(known, now) or _list_stray(known, now):
        signer, made = parts.signer, parts.signer.generate() if due else None
        transact(parts, lambda unit: _tend(unit, signer, made, days))


def _tend(unit: Unit, signer: Signer, made: Pair | None, days: int) -> None:
    signing_keys.lock_keys(unit.tx)
    known = signing_keys.list_keys(unit.tx)
    signing_keys.remove_keys(unit.tx, _list_spent(known, unit.now))
    for key_id in _list_stray(known, unit.now):
        signing_keys.move_key(unit.tx, key_id, signs_at=unit.now + LEAD)
    if made is not None and _is_due(known, unit.now, days):
        signer.keep(unit.tx, made, signs_at=unit.now + LEAD)


def _is_due(known: list[SigningKey], now: int, days: int) -> bool:
    """True when the newest key will be too old before another could follow it."""
    return bool(known) and days > 0 and now >= known[-1].signs_at + days * DAY - LEAD


def _list_spent(known: list[SigningKey], now: int) -> list[int]:
    """The keys whose tokens are all over."""
    return [
        key.id
        for key, until in zip(known, _list_ends(known), strict=True)
        if until is not None and until <= now
    ]


def _list_stray(known: list[SigningKey], now: int) -> list[int]:
    """Keys that are to sign later than any was ever meant to: the clock was ahead when they were made."""
    return [key.id for key in known if key.signs_at > now + LEAD]


def _list_ends(known: list[SigningKey]) -> list[int | None]:
    """Until when each key must be known: past the longest life of what it may have signed last."""
    after = [later.signs_at + LONGEST_LIFE + SLACK for later in known[1:]]
    return [*after, *([None] if known else [])]


def _describe(known: list[SigningKey], now: int) -> list[KnownKey]:
    due = [key for key in known if key.signs_at <= now] or known[:1]
    states = [KeyState.SIGNED] * (len(due) - 1) + [KeyState.SIGNS] + [KeyState.FOLLOWS] * len(known)
    return [
        KnownKey(
            kid=key.kid,
            state=state,
            created_at=key.created_at,
            signs_at=key.signs_at,
            until=until if state is KeyState.SIGNED else None,
        )
        for key, state, until in zip(known, states, _list_ends(known), strict=False)
    ]


def _find_signer(parts: Parts) -> Signer:
    if parts.signer is None:
        raise RefusedError("this server signs no identity tokens")
    return parts.signer

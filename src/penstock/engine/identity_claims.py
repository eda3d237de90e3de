"""What an organization, or one project of it, sets about its identity tokens: for whom, and for how long."""

from collections.abc import Callable, Collection

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.identity import check_audience
from penstock.engine.organizations import change_organization
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.unit import Parts, Unit
from penstock.kit.durations import format_go_duration, parse_go_duration
from penstock.model.errors import InvalidError
from penstock.model.identity import LONGEST_LIFE, SHORTEST_LIFE, CustomClaims
from penstock.model.project import Organization, Project
from penstock.store import custom_claims
from penstock.store.database import Transaction

NAMES = ("audience", "ttl")
"""What can be set."""

Place = Organization | Project
_Change = Callable[[CustomClaims, int], CustomClaims]


def read_claims(tx: Transaction, by: Principal, place: Place) -> CustomClaims:
    """What is set in that very place. Raises as `access.require` does."""
    require(by, Action.SEE_PROJECT if isinstance(place, Project) else Action.SEE_ORGANIZATION, place)
    return _find(tx, place)


def set_claims(
    parts: Parts,
    by: Principal,
    place: Place,
    *,
    audience: Collection[str] | None = None,
    ttl: str | None = None,
) -> CustomClaims:
    """These are set in the place; None leaves what is.

    Raises as `access.require` does, and InvalidError for what cannot be; then nothing has changed.
    """
    names = None if audience is None else check_audience(tuple(audience))
    life = None if ttl is None else read_life(ttl)

    def change(found: CustomClaims, now: int) -> CustomClaims:
        if names is not None:
            found = msgspec.structs.replace(found, audience=names, audience_updated_at=now)
        if life is not None:
            found = msgspec.structs.replace(found, ttl=life, ttl_updated_at=now)
        return found

    return _change(parts, by, place, change)


def unset_claims(parts: Parts, by: Principal, place: Place, names: Collection[str]) -> CustomClaims:
    """These are not set in the place any more. Raises as `set_claims` does."""
    unknown = sorted(set(names) - set(NAMES))
    if not names:
        raise InvalidError("Claims: cannot be blank.")
    if unknown:
        raise InvalidError(f"Claims: there is no claim {unknown[0][:80]!r}, only audience and ttl.")

    def change(found: CustomClaims, now: int) -> CustomClaims:
        if "audience" in names:
            found = msgspec.structs.replace(found, audience=None, audience_updated_at=now)
        if "ttl" in names:
            found = msgspec.structs.replace(found, ttl=None, ttl_updated_at=now)
        return found

    return _change(parts, by, place, change)


def read_life(text: str) -> int:
    """The milliseconds of a `ttl`. Raises InvalidError for what is none, or is out of bounds."""
    try:
        life = parse_go_duration(text)
    except ValueError as error:
        raise InvalidError(f"ttl: {error}") from error
    if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
        bounds = f"{format_go_duration(SHORTEST_LIFE / 1000)} to {format_go_duration(LONGEST_LIFE / 1000)}"
        raise InvalidError(f"ttl: a token may be good for {bounds}")
    return life


def _change(parts: Parts, by: Principal, place: Place, change: _Change) -> CustomClaims:
    """What is set after the change, which the audit log tells of."""

    def work(unit: Unit, owner: Organization) -> CustomClaims:
        found = _find(unit.tx, place)
        changed = change(found, unit.now)
        if changed == found:
            return found
        custom_claims.save_claims(unit.tx, changed)
        details = {"audience": changed.audience, "ttl": changed.ttl}
        kind = "project" if isinstance(place, Project) else "organization"
        note(unit, by, f"{kind}.identity", place.uuid, organization=owner, **details)
        return changed

    if isinstance(place, Project):
        action = Action.ADMINISTER_PROJECT
        return change_project(parts, by, action, place, lambda unit, _, owner: work(unit, owner))
    return change_organization(parts, by, Action.CHANGE_ORGANIZATION, place, work)


def _find(tx: Transaction, place: Place) -> CustomClaims:
    if isinstance(place, Project):
        return custom_claims.find_claims(tx, place.organization_id, place.id)
    return custom_claims.find_claims(tx, place.id)

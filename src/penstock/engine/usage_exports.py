"""Exports of usage: who may ask for which, how often, and what became of one."""

from collections.abc import Sequence

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.errors import InvalidError, NotFoundError, ThrottledError
from penstock.model.project import Organization
from penstock.store import projects, usage_exports
from penstock.store.usage_exports import Export, ExportState

USAGE = "usage-export"
"""The kind of letters that ask for an export to be made; their subject is its UUID."""

DAY = 86_400_000
HOUR = 3_600_000

KEPT = 400 * DAY
"""Milliseconds for which usage is kept: thirteen months and some days."""

REACH = 366 * DAY
"""How far back an export may begin: one year (CircleCI API v2: createUsageExport)."""

WINDOW = 31 * DAY
"""The longest time one export may be about (CircleCI API v2: createUsageExport)."""

MOST_CALLS = 10
"""Calls of each verb that an organization's people may make in an hour (CircleCI docs: Usage API)."""

MOST_ORGANIZATIONS = 100


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an export is to be about: runs that began from `start` to `end`, both included."""

    start: int
    end: int
    others: tuple[Organization, ...] = ()


def create_export(parts: Parts, by: Principal, owner: Organization, wish: Wish) -> Export:
    """The export, asked for; it is made soon, see `engine.usage_desk`.

    Raises as `access.require` does for each organization, InvalidError for a time that cannot be had,
    ThrottledError when there were too many calls.
    """
    wanted = tuple({each.id: each for each in (owner, *wish.others)}.values())
    for each in wanted:
        require(by, Action.EXPORT_USAGE, each)
    check_wish(wish, parts.clock.now())

    def work(unit: Unit) -> Export:
        count_call(unit, owner, "POST")
        export = Export(
            id=0,
            uuid=new_id(),
            organization_id=owner.id,
            organizations=tuple(each.id for each in wanted),
            start_at=wish.start,
            end_at=wish.end,
            state=ExportState.CREATED,
            created_at=unit.now,
        )
        usage_exports.add_export(unit.tx, export)
        unit.promise(USAGE, export.uuid, {})
        names = [each.slug for each in wanted]
        note(unit, by, "usage.export", export.uuid, organization=owner, organizations=names)
        return export

    return transact(parts, work)


def find_export(parts: Parts, by: Principal, owner: Organization, uuid: str) -> Export:
    """The export that was asked for in the organization, as it stands.

    Only those see it who may see the usage of every organization it is about. Raises as `access.require`
    does, NotFoundError, and ThrottledError when there were too many calls.
    """
    require(by, Action.SEE_USAGE, owner)

    def work(unit: Unit) -> Export:
        count_call(unit, owner, "GET")
        found = usage_exports.export_by_uuid(unit.tx, uuid)
        if found is None or found.organization_id != owner.id:
            raise NotFoundError("Usage export job not found.")
        for each in _list_organizations(unit, found.organizations):
            require(by, Action.SEE_USAGE, each)
        return found

    return transact(parts, work)


def check_wish(wish: Wish, now: int) -> None:
    """Return when usage of that time can be had. Raises InvalidError with the rule that forbids it."""
    if wish.end <= wish.start:
        raise InvalidError("end must be after start.")
    if wish.end - wish.start > WINDOW:
        raise InvalidError(f"end must be no more than {WINDOW // DAY} days after start.")
    if wish.start < now - REACH:
        raise InvalidError("start must be no more than one year ago.")
    if wish.start > now + DAY:  # clocks are not alike; and the end is one that can be written, then
        raise InvalidError("start must not be in the future.")


def count_call(unit: Unit, owner: Organization, verb: str) -> None:
    """The call counts among those of the hour. Raises ThrottledError when there were too many.

    A call that finds nothing is taken back with its transaction.
    """
    if projects.lock_organization(unit.tx, owner.id) is None:
        raise NotFoundError("Organization not found.")
    unit.catch_up()
    made = usage_exports.list_calls(unit.tx, owner.id, verb, since=unit.now - HOUR)
    made = [at for at in made if at <= unit.now]  # others are of before the clock was set back
    if len(made) >= MOST_CALLS:
        rest = max(-(-(made[-MOST_CALLS] + HOUR - unit.now) // 1000), 1)
        raise ThrottledError("Rate limit exceeded.", rest=rest)
    usage_exports.note_call(unit.tx, owner.id, verb, now=unit.now)


def _list_organizations(unit: Unit, ids: Sequence[int]) -> list[Organization]:
    """Those of them that are still there."""
    found = (projects.get_organization(unit.tx, each) for each in ids)
    return [each for each in found if each is not None]

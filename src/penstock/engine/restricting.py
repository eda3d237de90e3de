"""What a context may be restricted to: projects, groups and rules there are; and what these are called."""

from collections.abc import Iterable

from penstock.engine.access import Action, require
from penstock.engine.contexts import add_restriction, open_context
from penstock.engine.principal import Principal
from penstock.engine.rules import check_rule
from penstock.engine.unit import Parts
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.project import Organization
from penstock.store import people_groups, projects
from penstock.store.database import Transaction
from penstock.store.restrictions import EVERYONE, Restriction, RestrictionKind

ALL_MEMBERS, EVERYBODY = "All members", "Everyone"


def restrict_context(
    parts: Parts, by: Principal, uuid: str, kind: RestrictionKind, value: str
) -> Restriction:
    """The context is restricted to that project or group of its organization, or by that rule, too.

    Raises InvalidError for a value that is no UUID and for a rule that cannot be judged, NotFoundError for a
    project or group that is not there, and otherwise as `add_restriction` does.
    """
    with parts.db.read() as tx:
        _, owner = open_context(tx, by, uuid)
        require(by, Action.RESTRICT_CONTEXTS, owner)
        wanted = _check_value(tx, owner, kind, value)
    return add_restriction(parts, by, uuid, kind, wanted)


def name_restrictions(tx: Transaction, owner: Organization, every: Iterable[Restriction]) -> dict[str, str]:
    """What the projects and groups are called, by the value of the restriction.

    Those that are gone have no name.
    """
    uuids = {each.value for each in every if each.kind is not RestrictionKind.EXPRESSION}
    found = people_groups.name_groups(tx, owner.id, uuids)
    found |= projects.name_projects(tx, owner.id, uuids - found.keys())
    return found | {owner.uuid: ALL_MEMBERS, EVERYONE: EVERYBODY}


def _check_value(tx: Transaction, owner: Organization, kind: RestrictionKind, value: str) -> str:
    """The value as it is stored."""
    if kind is RestrictionKind.EXPRESSION:
        check_rule(value)
        return value
    if not is_id(value):
        raise InvalidError(f"restriction_value is not the id of a {kind.value}.")
    wanted = value.lower()
    if kind is RestrictionKind.PROJECT:
        project = projects.project_by_uuid(tx, wanted)
        known = project is not None and project.organization_id == owner.id
    else:
        group = people_groups.group_by_uuid(tx, wanted)
        mine = group is not None and group.organization_id == owner.id
        known = mine or wanted in {owner.uuid, EVERYONE}
    if not known:
        raise NotFoundError(f"{kind.value.capitalize()} not found.")
    return wanted

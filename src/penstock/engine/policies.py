"""The policies of an organization: pushed as a whole, read, switched on (CircleCI docs: config policies)."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.model.errors import NotFoundError
from penstock.model.project import Organization
from penstock.policy.files import hash_policy
from penstock.policy.referee import Referee
from penstock.store import policies, projects, removal
from penstock.store.database import Transaction
from penstock.store.policies import PolicySettings, StoredPolicy

T = TypeVar("T")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a push makes, changes and takes away: names of policies, sorted."""

    created: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def push_bundle(
    parts: Parts, referee: Referee, by: Principal, owner: Organization, files: Mapping[str, str], *, dry: bool
) -> Difference:
    """The policies of the files are those of the organization, and no others; a dry push only says so.

    Raises ForbiddenError; InvalidError, LimitExceededError for files that are no bundle; UnavailableError.
    Then nothing has changed.
    """
    require(by, Action.CHANGE_POLICIES, owner)
    wanted = referee.check(files)
    if dry:
        with parts.db.read() as tx:
            return _compare(list_policies(tx, owner), wanted)
    return _change(parts, owner, lambda unit: _push(unit, by, owner, wanted))


def list_policies(tx: Transaction, owner: Organization) -> list[StoredPolicy]:
    """The policies in force, by name."""
    return policies.load_policies(tx, policies.load_settings(tx, owner.id).bundle_id)


def find_policy(tx: Transaction, owner: Organization, name: str) -> StoredPolicy:
    """The policy of that name. Raises NotFoundError."""
    for each in list_policies(tx, owner):
        if each.name == name:
            return each
    raise NotFoundError("policy not found")


def set_enabled(parts: Parts, by: Principal, owner: Organization, *, enabled: bool) -> PolicySettings:
    """From now on pipelines are judged, or are not. Raises ForbiddenError."""
    require(by, Action.CHANGE_POLICIES, owner)

    def work(unit: Unit) -> PolicySettings:
        before = policies.load_settings(unit.tx, owner.id)
        changed = msgspec.structs.replace(before, enabled=enabled)
        if changed != before:
            policies.save_settings(unit.tx, owner.id, changed)
            note(unit, by, "policy.settings", owner.uuid, organization=owner, enabled=enabled)
        return changed

    return _change(parts, owner, work)


def _push(unit: Unit, by: Principal, owner: Organization, wanted: Mapping[str, str]) -> Difference:
    settings = policies.load_settings(unit.tx, owner.id)
    present = policies.load_policies(unit.tx, settings.bundle_id)
    difference = _compare(present, wanted)
    if difference == Difference():
        return difference
    kept = [each for each in present if wanted.get(each.name) == each.content]
    known = {each.name for each in kept}
    added = [
        StoredPolicy(
            id=0,
            organization_id=owner.id,
            name=name,
            content=content,
            hash=hash_policy(content),
            created_at=unit.now,
            created_by=by.user.uuid,
        )
        for name, content in wanted.items()
        if name not in known
    ]
    bundle_id = policies.save_bundle(unit.tx, owner.id, kept, added, now=unit.now)
    policies.save_settings(unit.tx, owner.id, msgspec.structs.replace(settings, bundle_id=bundle_id))
    policies.drop_unused(unit.tx, owner.id, spare=settings.bundle_id)
    changes = msgspec.to_builtins(difference)
    note(unit, by, "policy.push", owner.uuid, organization=owner, **changes)
    return difference


def _compare(present: list[StoredPolicy], wanted: Mapping[str, str]) -> Difference:
    before = policies.texts_of(present)
    return Difference(
        created=tuple(sorted(wanted.keys() - before.keys())),
        modified=tuple(
            sorted(name for name in wanted.keys() & before.keys() if wanted[name] != before[name])
        ),
        deleted=tuple(sorted(before.keys() - wanted.keys())),
    )


def _change(parts: Parts, owner: Organization, work: Callable[[Unit], T]) -> T:
    """What `work` returned, while no other changed the policies of the organization."""

    def locked(unit: Unit) -> T:
        found = projects.lock_organization(unit.tx, owner.id)
        if found is None or removal.is_marked(found):
            raise NotFoundError("Organization not found.")
        unit.catch_up()
        return work(unit)

    return transact(parts, locked)

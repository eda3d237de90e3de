"""Groups of people: who is in them belongs to the organization."""

import pytest
from sqlalchemy.exc import IntegrityError

from penstock.model.access import Membership, Role, User
from penstock.model.project import Organization
from penstock.store import memberships, people_groups, projects, removal, users
from penstock.store.database import Database, Transaction
from penstock.store.failures import RolledBackError
from penstock.store.people_groups import PeopleGroup
from penstock.store.users import Profile
from tests.support.records import NOW, add_organization, add_project


def join(tx: Transaction, owner: Organization, login: str) -> User:
    user = users.add_user(tx, Profile(login=login), now=NOW)
    assert user is not None
    memberships.set_member(
        tx, Membership(user_id=user.id, organization_id=owner.id, role=Role.MEMBER, created_at=NOW)
    )
    return user


def group(tx: Transaction, owner: Organization, name: str) -> PeopleGroup:
    made = people_groups.create_group(tx, owner.id, name, "of people", now=NOW)
    assert made is not None
    return made


def test_groups_are_found_listed_named_and_deleted(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx)
        made = [group(tx, owner, name) for name in ("deployers", "A b", "é\x00")]
        assert people_groups.create_group(tx, owner.id, "deployers", "", now=NOW) is None
        assert people_groups.group_by_uuid(tx, made[0].uuid) == made[0]
        assert people_groups.find_group(tx, owner.id, "A b") == made[1]
        assert people_groups.find_group(tx, owner.id + 1, "A b") is None
        assert people_groups.count_groups(tx, owner.id) == 3
        assert people_groups.list_groups(tx, owner.id, after=made[0].id, limit=1) == [made[1]]
        assert people_groups.name_groups(tx, owner.id, [made[1].uuid, "x"]) == {made[1].uuid: "A b"}
        assert people_groups.name_groups(tx, owner.id + 1, [made[1].uuid]) == {}
        assert people_groups.name_groups(tx, owner.id, []) == {}
        people_groups.delete_group(tx, made[1].id)
        assert people_groups.find_group(tx, owner.id, "A b") is None


def test_members_of_groups_belong_to_the_organization(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx)
        ada, grace = join(tx, owner, "ada"), join(tx, owner, "grace")
        made = group(tx, owner, "deployers")
        assert people_groups.add_member(tx, made, ada.id, now=NOW)
        assert not people_groups.add_member(tx, made, ada.id, now=NOW)
        assert people_groups.add_member(tx, made, grace.id, now=NOW)
        assert [each.login for each in people_groups.members_of(tx, made.id, limit=1)] == ["ada"]
        assert [each.login for each in people_groups.members_of(tx, made.id, after=ada.id)] == ["grace"]
        assert people_groups.is_in_any(tx, ada.id, owner.id, ["x", made.uuid])
        assert not people_groups.is_in_any(tx, ada.id, owner.id, [])
        assert not people_groups.is_in_any(tx, ada.id, owner.id + 1, [made.uuid])
        memberships.remove_member(tx, ada.id, owner.id)
        assert not people_groups.is_in_any(tx, ada.id, owner.id, [made.uuid])
        assert people_groups.remove_member(tx, made.id, grace.id)
        assert not people_groups.remove_member(tx, made.id, grace.id)


def test_a_stranger_cannot_be_in_a_group(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx)
        stranger = users.add_user(tx, Profile(login="eve"), now=NOW)
        made = group(tx, owner, "deployers")
        assert stranger is not None
    with pytest.raises((IntegrityError, RolledBackError)), db.write() as tx:
        people_groups.add_member(tx, made, stranger.id, now=NOW)


def test_projects_are_named_in_their_organization_only(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert projects.name_projects(tx, project.organization_id, [project.uuid, "x"]) == {
            project.uuid: project.name
        }
        assert projects.name_projects(tx, project.organization_id + 1, [project.uuid]) == {}
        removal.mark_project(tx, project.id, now=NOW)
        assert projects.name_projects(tx, project.organization_id, [project.uuid]) == {}

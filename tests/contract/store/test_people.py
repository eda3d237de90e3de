"""People, their roles and tokens, what they follow and did, and which hooks were heard."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import delete, select

from penstock.kit.ids import new_id
from penstock.model.access import ApiToken, Membership, Role, Scope, User
from penstock.model.audit import AuditEntry
from penstock.store import audit, deliveries, follows, memberships, projects, removal, tokens, users
from penstock.store.database import Database, Transaction
from penstock.store.memberships import Member
from penstock.store.schema import api_tokens
from penstock.store.schema import users as user_table
from penstock.store.sealing import hash_token
from penstock.store.tokens import USE_STEP
from penstock.store.users import Profile, UserChange
from tests.support.records import NOW, add_organization, add_project


def add_user(tx: Transaction, login: str = "ada") -> User:
    user = users.add_user(tx, Profile(login=login), now=NOW)
    assert user is not None
    return user


def add_token(tx: Transaction, user: User, word: str = "x", **fields: object) -> ApiToken:
    record = ApiToken(
        id=0,
        uuid=new_id(),
        user_id=user.id,
        label="ci",
        scopes=(Scope.READ, Scope.RUN),
        organization_id=None,
        project_id=None,
        created_at=NOW,
        expires_at=None,
    )
    stored = tokens.add_token(tx, msgspec.structs.replace(record, **fields), hash_token(word))
    assert stored is not None
    return stored


def test_an_account_is_found_by_login_in_any_case_and_by_uuid(db: Database) -> None:
    with db.write() as tx:
        assert not users.has_users(tx)
        made = add_user(tx, "Ada")
        assert users.has_users(tx)
        assert users.add_user(tx, Profile(login="aDA"), now=NOW) is None
        assert users.user_by_login(tx, "ADA") == users.user_by_uuid(tx, made.uuid) == made
        assert users.user_by_login(tx, "grace") is None
        assert users.get_user(tx, made.id) == users.lock_user(tx, made.id) == made
        assert users.load_password(tx, made.id) is None
        users.update_user(tx, UserChange(id=made.id, disabled_at=NOW, password="hash"))
        assert users.get_user(tx, made.id) == msgspec.structs.replace(made, disabled_at=NOW)
        assert users.load_password(tx, made.id) == "hash"
        later = add_user(tx, "grace")
        assert users.list_users(tx, after=made.id) == [later]


def test_threads_that_make_the_same_account_make_it_once(db: Database) -> None:
    start = threading.Barrier(6)

    def make(number: int) -> bool:
        start.wait(10)
        with db.write() as tx:
            return users.add_user(tx, Profile(login="admin", name=str(number)), now=NOW) is not None

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(make, range(6))) == [False] * 5 + [True]


def test_roles_belong_to_a_user_and_an_organization(db: Database) -> None:
    with db.write() as tx:
        ada, grace = add_user(tx), add_user(tx, "grace")
        acme, other = add_organization(tx), add_organization(tx, "gh/other")
        first = Membership(user_id=ada.id, organization_id=acme.id, role=Role.OWNER, created_at=NOW)
        memberships.set_member(tx, first)
        memberships.set_member(tx, msgspec.structs.replace(first, user_id=grace.id, role=Role.VIEWER))
        memberships.set_member(tx, msgspec.structs.replace(first, organization_id=other.id))
        memberships.set_member(tx, msgspec.structs.replace(first, organization_id=other.id, role=Role.MEMBER))
        assert memberships.roles_of(tx, ada.id) == {acme.id: Role.OWNER, other.id: Role.MEMBER}
        assert memberships.role_in(tx, grace.id, other.id) is None
        everybody = [Member(ada, Role.OWNER), Member(grace, Role.VIEWER)]
        assert memberships.members_of(tx, acme.id) == everybody
        assert memberships.members_of(tx, acme.id, after=ada.id) == everybody[1:]
        assert memberships.has_owner_beside(tx, acme.id, grace.id)
        assert not memberships.has_owner_beside(tx, acme.id, ada.id)
        assert memberships.remove_member(tx, grace.id, acme.id)
        assert not memberships.remove_member(tx, grace.id, acme.id)
        assert memberships.members_of(tx, acme.id) == everybody[:1]


def test_a_token_is_found_with_its_user_and_never_stored_itself(db: Database) -> None:
    with db.write() as tx:
        ada = add_user(tx)
        project = add_project(tx)
        token = add_token(tx, ada, "open sesame", organization_id=project.organization_id, expires_at=NOW + 5)
        bearer = tokens.find_bearer(tx, hash_token("open sesame"))
        assert bearer == tokens.Bearer(token, ada)
        assert tokens.find_bearer(tx, hash_token("open sesame ")) is None
        assert tokens.token_by_uuid(tx, token.uuid) == token
        assert "sesame" not in repr(tx.execute(select(api_tokens)).all())
        again = msgspec.structs.replace(token, uuid=new_id())
        assert tokens.add_token(tx, again, hash_token("open sesame")) is None
        other = add_token(tx, ada, "other")
        assert tokens.tokens_of(tx, ada.id) == [token, other]
        assert tokens.tokens_of(tx, ada.id, after=token.id) == [other]


def test_a_token_is_revoked_once(db: Database) -> None:
    with db.write() as tx:
        token = add_token(tx, add_user(tx))
        tokens.revoke_token(tx, token.id, now=NOW + 1)
        tokens.revoke_token(tx, token.id, now=NOW + 2)
        assert tokens.token_by_uuid(tx, token.uuid) == msgspec.structs.replace(token, revoked_at=NOW + 1)


def test_the_use_of_a_token_is_noted_to_the_minute(db: Database) -> None:
    def used(tx: Transaction, at: int) -> int | None:
        tokens.note_use(tx, token.id, at)
        found = tokens.token_by_uuid(tx, token.uuid)
        return found.used_at if found is not None else None

    with db.write() as tx:
        token = add_token(tx, add_user(tx))
        moments = [NOW, NOW + USE_STEP - 1, NOW + USE_STEP, NOW]
        assert [used(tx, at) for at in moments] == [NOW, NOW, NOW + USE_STEP, NOW + USE_STEP]


def test_followed_projects_are_listed_in_pages_without_deleted_ones(db: Database) -> None:
    with db.write() as tx:
        ada = add_user(tx)
        made = [add_project(tx, f"gh/acme/{name}") for name in "cab"]
        for project in reversed(made):
            assert follows.follow_project(tx, ada.id, project.id, now=NOW)
        assert not follows.follow_project(tx, ada.id, made[0].id, now=NOW)
        assert follows.followed_projects(tx, ada.id) == made
        assert follows.followed_projects(tx, ada.id, after=made[0].id, limit=1) == [made[1]]
        removal.mark_project(tx, made[2].id, now=NOW)
        assert follows.followed_projects(tx, ada.id) == made[:2]
        assert follows.unfollow_project(tx, ada.id, made[0].id)
        assert not follows.unfollow_project(tx, ada.id, made[0].id)


def test_the_audit_log_is_read_backwards_in_pages(db: Database) -> None:
    entry = AuditEntry(
        id=0,
        at=NOW,
        actor="ada",
        actor_uuid="u",
        token="t",
        action="project.create",
        subject="p",
        organization="o",
        details={"slug": "é\x00", "n": [1]},
    )
    with db.write() as tx:
        for number, organization in enumerate(["o", "", "o"]):
            audit.append_entry(tx, msgspec.structs.replace(entry, at=NOW + number, organization=organization))
        times = [each.at - NOW for each in audit.list_entries(tx)]
        assert times == [2, 1, 0]
        own = audit.list_entries(tx, organization="o")
        assert [each.at - NOW for each in own] == [2, 0]
        assert audit.list_entries(tx, organization="o", before=own[0].id, limit=1) == own[1:]
        assert own[1].details == {"slug": "é\x00", "n": [1]}


def test_a_delivery_is_new_once_for_each_host(db: Database) -> None:
    with db.write() as tx:
        assert deliveries.remember_delivery(tx, "gh", "a", now=NOW)
        assert not deliveries.remember_delivery(tx, "gh", "a", now=NOW + 1)
        assert deliveries.remember_delivery(tx, "gl", "a", now=NOW + 2)
        assert not deliveries.has_older(tx, NOW)
        assert deliveries.has_older(tx, NOW + 1)
        assert deliveries.forget_deliveries(tx, NOW + 1) == 1
        assert deliveries.forget_deliveries(tx, NOW + 1) == 0
        assert deliveries.remember_delivery(tx, "gh", "a", now=NOW + 3)
        assert deliveries.forget_deliveries(tx, NOW + 9, limit=1) == 1


def test_threads_that_hear_the_same_delivery_act_once(db: Database) -> None:
    start = threading.Barrier(6)

    def hear(_: int) -> bool:
        start.wait(10)
        with db.write() as tx:
            return deliveries.remember_delivery(tx, "gh", "same", now=NOW)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(hear, range(6))) == 1


@pytest.mark.parametrize("gone", ["user", "organization"])
def test_what_speaks_for_a_user_goes_with_the_user_or_the_limit(db: Database, gone: str) -> None:
    with db.write() as tx:
        ada = add_user(tx)
        project = add_project(tx)
        token = add_token(tx, ada, project_id=project.id, organization_id=project.organization_id)
        follows.follow_project(tx, ada.id, project.id, now=NOW)
        if gone == "user":
            tx.execute(delete(user_table).where(user_table.c.id == ada.id))
        else:
            removal.mark_organization(tx, project.organization_id, now=NOW)
            assert projects.get_project(tx, project.id) is not None
            assert removal.delete_project(tx, project.id)
            assert removal.delete_organization(tx, project.organization_id)
        assert tokens.token_by_uuid(tx, token.uuid) is None
        assert follows.followed_projects(tx, ada.id) == []

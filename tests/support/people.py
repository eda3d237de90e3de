"""Principals as a test needs them."""

from collections.abc import Mapping

from penstock.engine.accounts import create_user
from penstock.engine.authenticate import authenticate
from penstock.engine.principal import SERVER, Principal, reach_of
from penstock.engine.unit import Parts
from penstock.kit.ids import new_id
from penstock.model.access import ApiToken, Membership, Role, Scope, User
from penstock.model.project import Organization, Project
from penstock.store import memberships, tokens
from penstock.store.sealing import hash_token, make_token
from penstock.store.users import Profile
from tests.support.records import NOW

ACME = Organization(id=1, uuid="00000000-0000-4000-8000-000000000001", slug="gh/acme", name="acme")
OTHER = Organization(id=2, uuid="00000000-0000-4000-8000-000000000002", slug="gh/other", name="other")


def a_project(project_id: int = 7, owner: Organization = ACME) -> Project:
    """A project that is not stored."""
    return Project(
        id=project_id,
        uuid=new_id(),
        organization_id=owner.id,
        slug=f"{owner.slug}/app{project_id}",
        name=f"app{project_id}",
        url="https://example.com/app.git",
        default_branch="main",
        created_at=NOW,
    )


def a_user(login: str = "ada", *, admin: bool = False) -> User:
    """An account that is not stored."""
    return User(
        id=1, uuid=new_id(), login=login, name="", email="", avatar_url="", admin=admin, created_at=NOW
    )


def a_principal(
    roles: Mapping[int, Role] | None = None,
    *scopes: Scope,
    admin: bool = False,
    organization_id: int | None = None,
    project_id: int | None = None,
) -> Principal:
    """Somebody with these roles and a token of these scopes, of all unless given."""
    return Principal(
        user=a_user(admin=admin),
        roles=roles or {},
        scopes=reach_of(scopes or (Scope.ADMIN,)),
        organization_id=organization_id,
        project_id=project_id,
    )


def add_person(parts: Parts, login: str, *, admin: bool = False) -> User:
    """A stored account."""
    return create_user(parts, SERVER, Profile(login=login, admin=admin))


def give_token(parts: Parts, user: User, *scopes: Scope, expires_at: int | None = None) -> str:
    """A new token of the account, with all scopes unless given."""
    secret = make_token("pst_")
    record = ApiToken(
        id=0,
        uuid=new_id(),
        user_id=user.id,
        label="test",
        scopes=scopes or (Scope.ADMIN,),
        organization_id=None,
        project_id=None,
        created_at=parts.clock.now(),
        expires_at=expires_at,
    )
    with parts.db.write() as tx:
        assert tokens.add_token(tx, record, hash_token(secret)) is not None
    return secret


def add_member(parts: Parts, user: User, organization: Organization, role: Role) -> None:
    """The account has that role there."""
    with parts.db.write() as tx:
        memberships.set_member(
            tx, Membership(user_id=user.id, organization_id=organization.id, role=role, created_at=NOW)
        )


def sign_in(parts: Parts, user: User, *scopes: Scope) -> Principal:
    """The principal that a new token of the account speaks for."""
    principal = authenticate(parts, give_token(parts, user, *scopes))
    assert principal is not None
    return principal

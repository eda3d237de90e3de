"""Organizations and projects through their lives: who may do what to them, and what is left behind."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from penstock.engine.access import Action
from penstock.engine.audit import list_audit
from penstock.engine.authenticate import authenticate
from penstock.engine.launch import check_open
from penstock.engine.lookup import (
    find_organization,
    find_project,
    open_organization,
    open_project,
    open_project_of,
)
from penstock.engine.organizations import (
    change_organization_settings,
    create_organization,
    delete_organization,
    list_members,
    list_organizations,
    load_organization_settings,
    remove_member,
    rename_organization,
    set_member,
)
from penstock.engine.principal import SERVER, Principal
from penstock.engine.project_settings import (
    MOST_HOOK_SECRETS,
    add_hook_secret,
    change_project_settings,
    list_hook_secrets,
    load_project_settings,
    open_hook_secrets,
    remove_hook_secret,
    set_credentials,
)
from penstock.engine.projects import (
    NewProject,
    create_project,
    delete_project,
    follow_project,
    followed_projects,
    list_projects,
    move_source,
    rename_project,
    unfollow_project,
)
from penstock.engine.variables import open_credentials
from penstock.kit.short_ids import shorten_id
from penstock.model.access import Role, Scope
from penstock.model.credentials import CloneCredentials
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
)
from penstock.model.project import Organization, Project
from penstock.store.sealing import Sealer
from tests.support.lab import Lab
from tests.support.people import add_member, add_person, give_token, sign_in

SEALER = Sealer([b"k" * 32])
URL = "https://example.com/app.git"


def make_owner(lab: Lab, login: str = "ada", role: Role = Role.OWNER) -> Principal:
    """Somebody with that role in `acme`, which is made when needed."""
    user = add_person(lab.parts, login)
    add_member(lab.parts, user, acme_of(lab), role)
    return sign_in(lab.parts, user)


def acme_of(lab: Lab) -> Organization:
    with lab.parts.db.read() as tx:
        try:
            return find_organization(tx, "gh/acme")
        except NotFoundError:
            pass
    return create_organization(lab.parts, SERVER, host="github", name="acme")


def make_project(lab: Lab, by: Principal, name: str = "app") -> Project:
    return create_project(lab.parts, by, acme_of(lab), NewProject(name=name, url=URL))


def test_all_spellings_find_the_project(lab: Lab) -> None:
    by = make_owner(lab)
    project, acme = make_project(lab, by), acme_of(lab)
    spellings = [
        "gh/acme/app",
        "github/acme/app",
        "gh%2Facme%2Fapp",
        project.uuid,
        project.uuid.upper(),
        f"circleci/{acme.uuid}/{project.uuid}",
        f"circleci/{shorten_id(acme.uuid)}/{shorten_id(project.uuid)}",
    ]
    with lab.parts.db.read() as tx:
        assert [find_project(tx, text) for text in spellings] == [project] * len(spellings)
        for text in ("gh/acme/none", f"circleci/{project.uuid}/{project.uuid}", acme.uuid):
            with pytest.raises(NotFoundError):
                find_project(tx, text)
        for text in ("github/acme", acme.uuid, f"circleci/{shorten_id(acme.uuid)}"):
            assert find_organization(tx, text) == acme


def test_what_one_may_not_see_is_as_unknown_as_what_is_not_there(lab: Lab) -> None:
    project = make_project(lab, make_owner(lab))
    stranger = sign_in(lab.parts, add_person(lab.parts, "eve"))
    said = []
    with lab.parts.db.read() as tx:
        for text in ("gh/acme/app", "gh/acme/none", project.uuid):
            with pytest.raises(NotFoundError) as told:
                open_project(tx, stranger, Action.SEE_PROJECT, text)
            said.append(str(told.value))
        with pytest.raises(NotFoundError):
            open_project_of(tx, stranger, Action.SEE_PROJECT, project.id)
        with pytest.raises(NotFoundError):
            open_organization(tx, stranger, Action.SEE_ORGANIZATION, "gh/acme")
        assert list_organizations(tx, stranger) == []
    assert len(set(said)) == 1


def test_an_organization_without_a_host_has_an_id_for_a_slug(lab: Lab) -> None:
    made = create_organization(lab.parts, SERVER, host="circleci", name="Acme & Sons")
    assert made.slug == f"circleci/{shorten_id(made.uuid)}"
    project = create_project(lab.parts, SERVER, made, NewProject(name="The App", url=URL))
    assert project.slug == f"{made.slug}/{shorten_id(project.uuid)}"
    renamed = rename_project(lab.parts, SERVER, project, "Another name")
    assert (renamed.slug, renamed.name) == (project.slug, "Another name")
    with lab.parts.db.read() as tx:
        assert find_project(tx, project.slug) == renamed
        assert find_organization(tx, made.slug) == made


def test_a_name_is_given_once(lab: Lab) -> None:
    by = make_owner(lab)
    first, second = make_project(lab, by), make_project(lab, by, "other")
    with pytest.raises(ConflictError):
        make_project(lab, by)
    with pytest.raises(ConflictError):
        rename_project(lab.parts, by, second, "app")
    with pytest.raises(ConflictError):
        create_organization(lab.parts, SERVER, host="gh", name="acme")
    other = create_organization(lab.parts, SERVER, host="gh", name="other")
    with pytest.raises(ConflictError):
        rename_organization(lab.parts, SERVER, other, "acme")
    assert rename_project(lab.parts, by, first, "app") == first


def test_a_renamed_organization_takes_its_projects_along(lab: Lab) -> None:
    by = make_owner(lab)
    project = make_project(lab, by)
    renamed = rename_organization(lab.parts, by, acme_of(lab), "acme-2")
    assert renamed.slug == "gh/acme-2"
    with lab.parts.db.read() as tx:
        found = find_project(tx, "gh/acme-2/app")
        assert found == msgspec.structs.replace(project, slug="gh/acme-2/app")
        with pytest.raises(NotFoundError):
            find_project(tx, "gh/acme/app")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("", URL),
        ("a/b", URL),
        ("..", URL),
        ("a b", URL),
        ("app", ""),
        ("app", "--upload-pack=x"),
        ("app", "https://ada:secret@example.com/app.git"),
        ("app", "https://example.com/a\nb"),
    ],
)
def test_a_project_that_cannot_be_is_refused(lab: Lab, name: str, source: str) -> None:
    with pytest.raises(InvalidError) as told:
        create_project(lab.parts, SERVER, acme_of(lab), NewProject(name=name, url=source))
    assert "secret" not in str(told.value)


def test_projects_are_listed_in_pages_that_stay_while_others_are_made(lab: Lab) -> None:
    by = make_owner(lab)
    for name in "db":
        make_project(lab, by, name)
    with lab.parts.db.read() as tx:
        [first] = list_projects(tx, by, acme_of(lab), limit=1)
    for name in "ac":
        make_project(lab, by, name)
    with lab.parts.db.read() as tx:
        rest = list_projects(tx, by, acme_of(lab), after=first.slug)
    assert [first.name, *(project.name for project in rest)] == ["b", "c", "d"]


def test_what_is_followed_is_ones_own(lab: Lab) -> None:
    by, other = make_owner(lab), make_owner(lab, "grace", Role.VIEWER)
    first, second = make_project(lab, by), make_project(lab, by, "second")
    assert follow_project(lab.parts, other, second)
    with lab.parts.db.read() as tx:
        assert followed_projects(tx, by) == [first, second]
        assert followed_projects(tx, by, after=first.id) == [second]
        assert followed_projects(tx, other) == [second]
    assert unfollow_project(lab.parts, by, first)
    remove_member(lab.parts, by, acme_of(lab), other.user.uuid)
    later = sign_in(lab.parts, other.user)
    with lab.parts.db.read() as tx:
        assert followed_projects(tx, by) == [second]
        assert followed_projects(tx, later) == []


def test_members_do_no_more_than_their_role_allows(lab: Lab) -> None:
    owner, acme = make_owner(lab), acme_of(lab)
    project = make_project(lab, owner)
    member, viewer = make_owner(lab, "bob", Role.MEMBER), make_owner(lab, "eve", Role.VIEWER)
    for forbidden in (
        lambda: delete_project(lab.parts, member, project),
        lambda: rename_project(lab.parts, member, project, "mine"),
        lambda: move_source(lab.parts, member, project, url=URL),
        lambda: rename_organization(lab.parts, member, acme, "mine"),
        lambda: delete_organization(lab.parts, member, acme),
        lambda: set_member(lab.parts, member, acme, member.user.uuid, Role.OWNER),
        lambda: remove_member(lab.parts, member, acme, owner.user.uuid),
        lambda: change_organization_settings(lab.parts, member, acme, {"block_new_work": True}),
        lambda: set_credentials(lab.parts, SEALER, member, project, CloneCredentials(token="x")),
        lambda: add_hook_secret(lab.parts, SEALER, member, project),
        lambda: create_project(lab.parts, viewer, acme, NewProject(name="x", url=URL)),
        lambda: change_project_settings(lab.parts, viewer, project, {"oss": True}),
        lambda: create_organization(lab.parts, owner, host="gh", name="x"),
    ):
        with pytest.raises(ForbiddenError):
            forbidden()
    with lab.parts.db.read() as tx:
        assert {entry.actor for entry in list_audit(tx, SERVER, None)} == {"", "ada"}
        with pytest.raises(ForbiddenError):
            list_audit(tx, member, acme)


def test_an_organization_keeps_an_owner_and_only_owners_make_owners(lab: Lab) -> None:
    owner, acme = make_owner(lab), acme_of(lab)
    admin = make_owner(lab, "bob", Role.ADMIN)
    eve = add_person(lab.parts, "eve")
    for refused in (
        lambda: set_member(lab.parts, owner, acme, owner.user.uuid, Role.ADMIN),
        lambda: remove_member(lab.parts, owner, acme, owner.user.uuid),
    ):
        with pytest.raises(RefusedError):
            refused()
    for forbidden in (
        lambda: set_member(lab.parts, admin, acme, admin.user.uuid, Role.OWNER),
        lambda: set_member(lab.parts, admin, acme, owner.user.uuid, Role.VIEWER),
        lambda: remove_member(lab.parts, admin, acme, owner.user.uuid),
    ):
        with pytest.raises(ForbiddenError):
            forbidden()
    set_member(lab.parts, admin, acme, eve.uuid, Role.VIEWER)
    set_member(lab.parts, owner, acme, admin.user.uuid, Role.OWNER)
    remove_member(lab.parts, owner, acme, owner.user.uuid)
    with lab.parts.db.read() as tx:
        members = list_members(tx, sign_in(lab.parts, admin.user), acme)
    assert [(member.user.login, member.role) for member in members] == [("bob", "owner"), ("eve", "viewer")]


def test_two_owners_who_leave_at_once_do_not_both(lab: Lab) -> None:
    acme = acme_of(lab)
    owners = [make_owner(lab, login) for login in ("ada", "bob")]
    start = threading.Barrier(2)

    def go(by: Principal) -> bool:
        start.wait(10)
        try:
            remove_member(lab.parts, by, acme, by.user.uuid)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, owners)) == [False, True]


def test_settings_change_by_name_and_may_be_for_administrators_only(lab: Lab) -> None:
    owner, member = make_owner(lab), make_owner(lab, "bob", Role.MEMBER)
    project, acme = make_project(lab, owner), acme_of(lab)
    change_project_settings(lab.parts, member, project, {"autocancel_builds": True})
    with lab.parts.db.read() as tx:
        check_open(tx, project)
    change_project_settings(lab.parts, owner, project, {"write_settings_requires_admin": True})
    with pytest.raises(ForbiddenError):
        change_project_settings(lab.parts, member, project, {"write_settings_requires_admin": False})
    with pytest.raises(InvalidError):
        change_project_settings(lab.parts, owner, project, {"oss": 1})
    change_project_settings(lab.parts, owner, project, {"block_new_work": True})
    with lab.parts.db.read() as tx, pytest.raises(RefusedError, match="block_new_work"):
        check_open(tx, project)
    change_project_settings(lab.parts, owner, project, {"block_new_work": False})
    change_organization_settings(lab.parts, owner, acme, {"block_new_work": True})
    with lab.parts.db.read() as tx, pytest.raises(RefusedError, match="block_new_work"):
        check_open(tx, project)
    with lab.parts.db.read() as tx:
        settings = load_project_settings(tx, project.id)
        assert (settings.autocancel_builds, settings.write_settings_requires_admin) == (True, True)
        assert load_organization_settings(tx, acme.id).block_new_work


def test_credentials_are_sealed_and_shown_to_nobody(lab: Lab) -> None:
    owner = make_owner(lab)
    project = make_project(lab, owner)
    given = CloneCredentials(user="git", token="hush-hush")
    set_credentials(lab.parts, SEALER, owner, project, given)
    with lab.parts.db.read() as tx:
        assert open_credentials(tx, SEALER, project.id) == given
        assert "hush" not in repr(given) + repr(list_audit(tx, owner, acme_of(lab)))
    with pytest.raises(LimitExceededError):
        set_credentials(lab.parts, SEALER, owner, project, CloneCredentials(private_key="x" * 70_000))
    set_credentials(lab.parts, SEALER, owner, project, None)
    with lab.parts.db.read() as tx:
        assert open_credentials(tx, SEALER, project.id) is None


def test_hooks_may_be_signed_with_an_old_and_a_new_secret(lab: Lab) -> None:
    owner = make_owner(lab)
    project, other = make_project(lab, owner), make_project(lab, owner, "other")
    old = add_hook_secret(lab.parts, SEALER, owner, project, "chosen elsewhere")
    new = add_hook_secret(lab.parts, SEALER, owner, project)
    assert new.secret not in repr(new)
    with lab.parts.db.read() as tx:
        assert open_hook_secrets(tx, SEALER, project.id) == [b"chosen elsewhere", new.secret.encode()]
        assert [each.uuid for each in list_hook_secrets(tx, project.id)] == [old.uuid, new.uuid]
        assert open_hook_secrets(tx, SEALER, other.id) == []
    with pytest.raises(NotFoundError):
        remove_hook_secret(lab.parts, owner, other, old.uuid)
    remove_hook_secret(lab.parts, owner, project, old.uuid)
    with lab.parts.db.read() as tx:
        assert open_hook_secrets(tx, SEALER, project.id) == [new.secret.encode()]
    with pytest.raises(InvalidError):
        add_hook_secret(lab.parts, SEALER, owner, project, "short")
    for _ in range(MOST_HOOK_SECRETS - 1):
        add_hook_secret(lab.parts, SEALER, owner, project)
    with pytest.raises(LimitExceededError):
        add_hook_secret(lab.parts, SEALER, owner, project)


def test_every_act_is_in_the_audit_log(lab: Lab) -> None:
    owner = make_owner(lab)
    project = make_project(lab, owner)
    rename_project(lab.parts, owner, project, "app-2")
    delete_project(lab.parts, owner, project)
    with lab.parts.db.read() as tx:
        entries = list_audit(tx, owner, acme_of(lab))
        assert list_audit(tx, owner, acme_of(lab), before=entries[1].id) == entries[2:]
    assert [entry.action for entry in entries] == [
        "project.delete",
        "project.rename",
        "project.create",
        "organization.create",
    ]
    assert {(entry.actor, entry.token) for entry in entries[:3]} == {("ada", owner.token)}
    assert {entry.subject for entry in entries[:3]} == {project.uuid}
    assert entries[1].details == {"old": "gh/acme/app", "new": "gh/acme/app-2"}


def test_a_token_of_one_project_sees_that_one(lab: Lab) -> None:
    owner = make_owner(lab)
    mine, other = make_project(lab, owner), make_project(lab, owner, "other")
    limited = msgspec.structs.replace(
        owner, organization_id=mine.organization_id, project_id=mine.id, scopes=frozenset({Scope.READ})
    )
    with lab.parts.db.read() as tx:
        assert list_projects(tx, limited, acme_of(lab)) == [mine]
        assert list_organizations(tx, limited) == [acme_of(lab)]
        assert followed_projects(tx, limited) == [mine]
        with pytest.raises(NotFoundError):
            open_project(tx, limited, Action.SEE_PROJECT, other.slug)
    assert authenticate(lab.parts, give_token(lab.parts, owner.user)) is not None

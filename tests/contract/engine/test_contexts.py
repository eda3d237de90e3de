"""Contexts and project variables: within bounds, for those who may, and never shown."""

import pytest

from penstock.engine import contexts as rules
from penstock.engine.audit import list_audit
from penstock.engine.contexts import (
    MOST_VALUE_BYTES,
    add_restriction,
    create_context,
    delete_context,
    delete_context_variable,
    delete_project_variable,
    mask_value,
    open_context,
    remove_restriction,
    set_context_variable,
    set_project_variable,
)
from penstock.engine.organizations import change_organization_settings
from penstock.engine.principal import SERVER, Principal
from penstock.engine.variables import StoredVariables
from penstock.model.access import Role
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
)
from penstock.model.project import Organization, Project
from penstock.store import projects, restrictions
from penstock.store.restrictions import RestrictionKind
from penstock.store.sealing import Sealer
from tests.support.lab import Lab
from tests.support.people import add_member, add_person, sign_in
from tests.support.records import add_project

SEALER = Sealer([b"k" * 32])


def place(lab: Lab) -> tuple[Project, Organization]:
    with lab.parts.db.write() as tx:
        project = add_project(tx)
        owner = projects.get_organization(tx, project.organization_id)
    assert owner is not None
    return project, owner


def somebody(lab: Lab, owner: Organization, role: Role, login: str = "ada") -> Principal:
    user = add_person(lab.parts, login)
    add_member(lab.parts, user, owner, role)
    return sign_in(lab.parts, user)


def test_values_reach_tasks_and_nobody_else(lab: Lab) -> None:
    project, owner = place(lab)
    by = somebody(lab, owner, Role.MEMBER)
    context = create_context(lab.parts, by, owner, "deploy")
    set_context_variable(lab.parts, SEALER, by, context.uuid, "TOKEN", "hush")
    set_context_variable(lab.parts, SEALER, by, context.uuid, "TOKEN", "hush-hush")
    set_project_variable(lab.parts, SEALER, by, project, "A", "")
    stored = StoredVariables(lab.parts.db, SEALER)
    assert stored.of_project(project.id) == {"A": ""}
    assert stored.of_context(owner.id, "deploy") == {"TOKEN": "hush-hush"}
    assert stored.of_context(owner.id, "none") is None
    with lab.parts.db.read() as tx:
        assert "hush" not in repr(list_audit(tx, SERVER, owner))
    delete_context_variable(lab.parts, by, context.uuid, "TOKEN")
    delete_project_variable(lab.parts, by, project, "A")
    assert (stored.of_project(project.id), stored.of_context(owner.id, "deploy")) == ({}, {})
    with pytest.raises(NotFoundError):
        delete_context_variable(lab.parts, by, context.uuid, "TOKEN")
    with pytest.raises(NotFoundError):
        delete_project_variable(lab.parts, by, project, "A")
    delete_context(lab.parts, by, context.uuid)
    assert stored.of_context(owner.id, "deploy") is None


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "é", "A" * 301, "A\n"])
def test_a_name_that_no_shell_takes_is_refused(lab: Lab, name: str) -> None:
    project, _ = place(lab)
    with pytest.raises(InvalidError):
        set_project_variable(lab.parts, SEALER, SERVER, project, name, "x")


def test_everything_is_bounded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    project, owner = place(lab)
    for name in ("MOST_CONTEXTS", "MOST_VARIABLES", "MOST_PROJECT_VARIABLES"):
        monkeypatch.setattr(rules, name, 1)
    monkeypatch.setattr(rules, "MOST_RESTRICTIONS", 2)
    context = create_context(lab.parts, SERVER, owner, "deploy")
    set_context_variable(lab.parts, SEALER, SERVER, context.uuid, "A", "x" * MOST_VALUE_BYTES)
    set_context_variable(lab.parts, SEALER, SERVER, context.uuid, "A", "again")
    set_project_variable(lab.parts, SEALER, SERVER, project, "A", "x")
    add_restriction(lab.parts, SERVER, context.uuid, RestrictionKind.EXPRESSION, "true")
    for past in (
        lambda: create_context(lab.parts, SERVER, owner, "other"),
        lambda: set_context_variable(lab.parts, SEALER, SERVER, context.uuid, "B", "x"),
        lambda: set_project_variable(lab.parts, SEALER, SERVER, project, "B", "x"),
        lambda: set_project_variable(lab.parts, SEALER, SERVER, project, "A", "é" * MOST_VALUE_BYTES),
        lambda: add_restriction(lab.parts, SERVER, context.uuid, RestrictionKind.EXPRESSION, "false"),
    ):
        with pytest.raises(LimitExceededError):
            past()
    for wrong in (
        lambda: create_context(lab.parts, SERVER, owner, "x" * 201),
        lambda: create_context(lab.parts, SERVER, owner, ""),
        lambda: set_project_variable(lab.parts, SEALER, SERVER, project, "A", "a\x00b"),
        lambda: add_restriction(lab.parts, SERVER, context.uuid, RestrictionKind.EXPRESSION, ""),
    ):
        with pytest.raises(InvalidError):
            wrong()


def test_contexts_of_others_are_unknown(lab: Lab) -> None:
    project, owner = place(lab)
    context = create_context(lab.parts, SERVER, owner, "deploy")
    stranger = sign_in(lab.parts, add_person(lab.parts, "eve"))
    said = []
    for uuid in (context.uuid, project.uuid):
        with lab.parts.db.read() as tx, pytest.raises(NotFoundError) as told:
            open_context(tx, stranger, uuid)
        said.append(str(told.value))
    assert len(set(said)) == 1
    with pytest.raises(NotFoundError):
        set_context_variable(lab.parts, SEALER, stranger, context.uuid, "A", "x")
    viewer = somebody(lab, owner, Role.VIEWER, "bob")
    with pytest.raises(ForbiddenError):
        delete_context(lab.parts, viewer, context.uuid)


def test_an_organization_may_keep_contexts_to_its_administrators(lab: Lab) -> None:
    _, owner = place(lab)
    admin, member = somebody(lab, owner, Role.ADMIN), somebody(lab, owner, Role.MEMBER, "bob")
    change_organization_settings(lab.parts, admin, owner, {"contexts_require_admin": True})
    with pytest.raises(ForbiddenError):
        create_context(lab.parts, member, owner, "deploy")
    context = create_context(lab.parts, admin, owner, "deploy")
    with pytest.raises(ConflictError):
        create_context(lab.parts, admin, owner, "deploy")
    with pytest.raises(ForbiddenError):
        set_context_variable(lab.parts, SEALER, member, context.uuid, "A", "x")


def test_restrictions_are_for_administrators_and_stand_once(lab: Lab) -> None:
    project, owner = place(lab)
    admin, member = somebody(lab, owner, Role.ADMIN), somebody(lab, owner, Role.MEMBER, "bob")
    context, other = (create_context(lab.parts, admin, owner, name) for name in ("deploy", "other"))
    made = add_restriction(lab.parts, admin, context.uuid, RestrictionKind.PROJECT, project.uuid)
    with pytest.raises(ConflictError):
        add_restriction(lab.parts, admin, context.uuid, RestrictionKind.PROJECT, project.uuid)
    with pytest.raises(ForbiddenError):
        remove_restriction(lab.parts, member, context.uuid, made.uuid)
    with pytest.raises(NotFoundError):
        remove_restriction(lab.parts, admin, other.uuid, made.uuid)
    remove_restriction(lab.parts, admin, context.uuid, made.uuid)
    with lab.parts.db.read() as tx:
        left = restrictions.restrictions_of(tx, context.id)
    assert [(each.kind, each.value) for each in left] == [(RestrictionKind.GROUP, owner.uuid)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("", "xxxx"), ("abcd", "xxxx"), ("abcde", "xxxxbcde"), ("secret1234", "xxxx1234"), ("aaaaaé12", "xxxx")],
)
def test_a_value_is_shown_by_its_end(value: str, shown: str) -> None:
    assert mask_value(value) == shown

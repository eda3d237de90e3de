"""The table of rights, read from all sides."""

from itertools import product

import pytest

from penstock.engine.access import RULES, Action, Standing, may, require, sees, unknown
from penstock.model.access import Role, Scope
from penstock.model.errors import ForbiddenError, NotFoundError
from penstock.model.project import Project
from tests.support.people import ACME, OTHER, a_principal, a_project

IN_PLACES = [action for action, rule in RULES.items() if isinstance(rule.least, Role)]
OUTSIDE = [action for action, rule in RULES.items() if isinstance(rule.least, Standing)]
READS = [action for action, rule in RULES.items() if rule.scope is Scope.READ]


def test_every_action_has_a_rule() -> None:
    assert set(RULES) == set(Action)


def test_seeing_needs_no_more_than_a_token_to_read() -> None:
    assert {action for action in Action if action.value.startswith("see")} - set(READS) == {
        Action.SEE_AUDIT,
        Action.SEE_SERVER_AUDIT,
    }


@pytest.mark.parametrize("action", IN_PLACES)
def test_a_role_and_a_scope_are_needed_both(action: Action) -> None:
    rule = RULES[action]
    assert isinstance(rule.least, Role)
    for role, scope in product(Role, Scope):
        principal = a_principal({ACME.id: role}, scope)
        allowed = role.reaches(rule.least) and rule.scope in principal.scopes
        assert may(principal, action, ACME) == allowed
        assert not may(principal, action, OTHER)
        assert not may(principal, action)


def test_roles_include_the_later_ones() -> None:
    assert [[role.reaches(needed) for needed in Role] for role in Role] == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
        [False, False, False, True],
    ]


def test_scopes_include_reading_and_admin_includes_all() -> None:
    reach = {scope: a_principal({}, scope).scopes for scope in Scope}
    assert reach == {
        Scope.READ: {Scope.READ},
        Scope.RUN: {Scope.READ, Scope.RUN},
        Scope.WRITE: {Scope.READ, Scope.WRITE},
        Scope.ADMIN: set(Scope),
    }


@pytest.mark.parametrize("action", OUTSIDE)
def test_the_server_is_a_matter_of_its_administrators(action: Action) -> None:
    everybody = RULES[action].least is Standing.ANYBODY
    assert may(a_principal({ACME.id: Role.OWNER}), action) == everybody
    assert may(a_principal(admin=True), action)
    assert may(a_principal(admin=True, organization_id=ACME.id), action) == everybody


def test_an_administrator_of_the_server_owns_every_organization() -> None:
    assert all(may(a_principal(admin=True), action, OTHER) for action in IN_PLACES)
    reader = a_principal(None, Scope.READ, admin=True)
    assert {action for action in IN_PLACES if may(reader, action, OTHER)} == set(IN_PLACES) & set(READS)


def test_a_token_of_one_organization_knows_of_no_other() -> None:
    roles = {ACME.id: Role.OWNER, OTHER.id: Role.OWNER}
    for admin in (False, True):
        principal = a_principal(roles, admin=admin, organization_id=ACME.id)
        assert may(principal, Action.DELETE_PROJECT, a_project())
        assert may(principal, Action.DELETE_ORGANIZATION, ACME)
        assert not sees(principal, OTHER)
        assert not sees(principal, a_project(owner=OTHER))


def test_a_token_of_one_project_knows_of_no_other_and_only_that_its_organization_exists() -> None:
    principal = a_principal({ACME.id: Role.OWNER}, organization_id=ACME.id, project_id=7)
    assert may(principal, Action.DELETE_PROJECT, a_project(7))
    assert not sees(principal, a_project(8))
    assert {action for action in IN_PLACES if may(principal, action, ACME)} == {Action.SEE_ORGANIZATION}


def test_what_may_not_be_known_is_unknown_and_the_rest_is_forbidden() -> None:
    viewer = a_principal({ACME.id: Role.VIEWER})
    require(viewer, Action.SEE_PROJECT, a_project())
    with pytest.raises(ForbiddenError):
        require(viewer, Action.RUN_PIPELINE, a_project())
    with pytest.raises(ForbiddenError):
        require(viewer, Action.CHANGE_USERS)
    with pytest.raises(NotFoundError) as told:
        require(viewer, Action.SEE_PROJECT, a_project(owner=OTHER))
    assert str(told.value) == str(unknown(Project))


def test_a_token_that_may_not_read_is_told_so_where_its_account_belongs() -> None:
    runner = a_principal({ACME.id: Role.OWNER}, Scope.RUN)
    assert may(runner, Action.RUN_PIPELINE, a_project())
    with pytest.raises(ForbiddenError):
        require(runner, Action.CHANGE_PROJECT, a_project())

"""Who may do what: one table, and the two ways to say no."""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

import msgspec

from penstock.engine.principal import Principal
from penstock.model.access import Role, Scope
from penstock.model.errors import ForbiddenError, NotFoundError
from penstock.model.project import Organization, Project

Place = Organization | Project
"""Where something is done; the server as a whole is None."""


class Standing(Enum):
    """What is asked of somebody outside of any organization."""

    ANYBODY = auto()  # has an account
    SERVER_ADMIN = auto()


class Action(StrEnum):
    """What somebody may want to do."""

    SEE_PROJECT = "see project"
    RUN_PIPELINE = "run pipeline"
    SEE_VARIABLES = "see variables"
    CHANGE_VARIABLES = "change variables"
    CHANGE_PROJECT = "change project"
    ADMINISTER_PROJECT = "administer project"
    DELETE_PROJECT = "delete project"
    FOLLOW_PROJECT = "follow project"
    SEE_ORGANIZATION = "see organization"
    CREATE_PROJECT = "create project"
    LEAVE_ORGANIZATION = "leave organization"
    SEE_CONTEXTS = "see contexts"
    CHANGE_CONTEXTS = "change contexts"
    RESTRICT_CONTEXTS = "restrict contexts"
    SEE_POLICIES = "see policies"
    ASK_POLICIES = "ask policies"
    CHANGE_POLICIES = "change policies"
    SEE_MEMBERS = "see members"
    CHANGE_ORGANIZATION = "change organization"
    CHANGE_MEMBERS = "change members"
    CHANGE_OWNERS = "change owners"
    DELETE_ORGANIZATION = "delete organization"
    SEE_AUDIT = "see audit log"
    SEE_USAGE = "see usage"
    EXPORT_USAGE = "export usage"
    SEE_AGENTS = "see agents"
    CHANGE_AGENTS = "change agents"
    SEE_SELF = "see own account"
    CHANGE_TOKENS = "change own tokens"
    SEE_USER = "see user"
    CREATE_ORGANIZATION = "create organization"
    CHANGE_USERS = "change users"
    SEE_SERVER_AUDIT = "see audit log of the server"
    CHANGE_SERVER_AGENTS = "change agents of the server"
    CHANGE_SIGNING_KEYS = "change signing keys"


class Rule(msgspec.Struct, frozen=True):
    """The least somebody must be, and what the token must be made for."""

    least: Role | Standing
    scope: Scope


# fmt: off
RULES: Mapping[Action, Rule] = {
    # in a project
    Action.SEE_PROJECT:          Rule(Role.VIEWER, Scope.READ),   # with pipelines, logs, artifacts, tests
    Action.FOLLOW_PROJECT:       Rule(Role.VIEWER, Scope.RUN),
    Action.RUN_PIPELINE:         Rule(Role.MEMBER, Scope.RUN),    # trigger, cancel, approve, rerun
    Action.SEE_VARIABLES:        Rule(Role.MEMBER, Scope.READ),   # names only, as with contexts and keys
    Action.CHANGE_VARIABLES:     Rule(Role.MEMBER, Scope.WRITE),  # keys, hooks and schedules too
    Action.CHANGE_PROJECT:       Rule(Role.MEMBER, Scope.WRITE),
    Action.ADMINISTER_PROJECT:   Rule(Role.ADMIN,  Scope.WRITE),
    Action.DELETE_PROJECT:       Rule(Role.ADMIN,  Scope.ADMIN),
    # in an organization
    Action.SEE_ORGANIZATION:     Rule(Role.VIEWER, Scope.READ),
    Action.SEE_AGENTS:           Rule(Role.VIEWER, Scope.READ),
    Action.LEAVE_ORGANIZATION:   Rule(Role.VIEWER, Scope.ADMIN),
    Action.SEE_USAGE:            Rule(Role.ADMIN,  Scope.READ),
    Action.EXPORT_USAGE:         Rule(Role.ADMIN,  Scope.WRITE),
    Action.SEE_CONTEXTS:         Rule(Role.MEMBER, Scope.READ),
    Action.SEE_POLICIES:         Rule(Role.MEMBER, Scope.READ),   # with the log of decisions
    Action.ASK_POLICIES:         Rule(Role.MEMBER, Scope.RUN),
    Action.CHANGE_POLICIES:      Rule(Role.ADMIN,  Scope.ADMIN),
    Action.SEE_MEMBERS:          Rule(Role.MEMBER, Scope.READ),
    Action.CREATE_PROJECT:       Rule(Role.MEMBER, Scope.WRITE),
    Action.CHANGE_CONTEXTS:      Rule(Role.MEMBER, Scope.WRITE),
    Action.RESTRICT_CONTEXTS:    Rule(Role.ADMIN,  Scope.WRITE),
    Action.CHANGE_ORGANIZATION:  Rule(Role.ADMIN,  Scope.ADMIN),
    Action.CHANGE_MEMBERS:       Rule(Role.ADMIN,  Scope.ADMIN),
    Action.CHANGE_AGENTS:        Rule(Role.ADMIN,  Scope.ADMIN),
    Action.SEE_AUDIT:            Rule(Role.ADMIN,  Scope.ADMIN),
    Action.CHANGE_OWNERS:        Rule(Role.OWNER,  Scope.ADMIN),
    Action.DELETE_ORGANIZATION:  Rule(Role.OWNER,  Scope.ADMIN),
    # outside of any organization
    Action.SEE_SELF:             Rule(Standing.ANYBODY, Scope.READ),
    Action.SEE_USER:             Rule(Standing.ANYBODY, Scope.READ),
    Action.CHANGE_TOKENS:        Rule(Standing.ANYBODY, Scope.ADMIN),
    Action.CREATE_ORGANIZATION:  Rule(Standing.SERVER_ADMIN, Scope.ADMIN),
    Action.CHANGE_USERS:         Rule(Standing.SERVER_ADMIN, Scope.ADMIN),
    Action.CHANGE_SERVER_AGENTS: Rule(Standing.SERVER_ADMIN, Scope.ADMIN),
    Action.CHANGE_SIGNING_KEYS:  Rule(Standing.SERVER_ADMIN, Scope.ADMIN),
    Action.SEE_SERVER_AUDIT:     Rule(Standing.SERVER_ADMIN, Scope.ADMIN),
}
# fmt: on


def may(principal: Principal, action: Action, place: Place | None = None) -> bool:
    """True when the principal may do it there."""
    rule = RULES[action]
    if rule.scope not in principal.scopes:
        return False
    if isinstance(rule.least, Role):
        role = role_in(principal, place) if place is not None else None
        own = action is Action.SEE_ORGANIZATION or _is_within(principal, place)
        return role is not None and role.reaches(rule.least) and own
    if rule.least is Standing.SERVER_ADMIN:
        return principal.user.admin and not principal.is_limited
    return True


def may_ever(principal: Principal, action: Action) -> bool:
    """False when the principal may do it nowhere, since neither token nor account are made for it."""
    rule = RULES[action]
    if rule.least is Standing.SERVER_ADMIN:
        return may(principal, action)
    return rule.scope in principal.scopes


def sees(principal: Principal, place: Place) -> bool:
    """True when the principal may know that the place exists."""
    return role_in(principal, place) is not None


def role_in(principal: Principal, place: Place) -> Role | None:
    """What the principal is there, None when the place is none of its business.

    Everybody with an account looks at public projects, though not with a token made for another place.
    """
    organization = place.organization_id if isinstance(place, Project) else place.id
    if principal.organization_id not in {None, organization}:
        return None
    if isinstance(place, Project) and principal.project_id not in {None, place.id}:
        return None
    if principal.user.admin:
        return Role.OWNER
    stranger = Role.VIEWER if isinstance(place, Project) and place.public else None
    return principal.roles.get(organization, stranger)


def seen_organizations(principal: Principal) -> frozenset[int] | None:
    """The row ids of the organizations the principal may know of, None when it may know of all."""
    if principal.organization_id is not None:
        known = principal.user.admin or principal.organization_id in principal.roles
        return frozenset({principal.organization_id} if known else ())
    return None if principal.user.admin else frozenset(principal.roles)


def require(principal: Principal, action: Action, place: Place | None = None) -> None:
    """Return when the principal may do it there.

    Raises NotFoundError, worded as for a place that does not exist, when the principal may not even know
    of it, and ForbiddenError when it may know.
    """
    if place is not None and not sees(principal, place):
        raise unknown(place)
    if not may(principal, action, place):
        raise ForbiddenError("Permission denied.")


def unknown(place: Place | type[Place]) -> NotFoundError:
    """What is raised for a place that does not exist, or that the principal may not know of."""
    kind = place if isinstance(place, type) else type(place)
    return NotFoundError(f"{kind.__name__} not found.")


def _is_within(principal: Principal, place: Place | None) -> bool:
    """False for an organization when the token is limited to one project of it."""
    return isinstance(place, Project) or principal.project_id is None

"""Contexts and project variables as people change them; values go in and never come out.

Who may not use a context because of the groups it is for may not change it either.

The limits are CircleCI's (its docs: contexts, environment variables).
"""

import re
from collections.abc import Callable
from typing import TypeVar

from penstock.engine.access import Action, may, require, role_in
from penstock.engine.audit import note
from penstock.engine.clearance import Standing, choose_values, is_in_groups
from penstock.engine.organizations import load_organization_settings
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
)
from penstock.model.project import Organization, Project
from penstock.store import contexts, projects, removal, restrictions, variables
from penstock.store.contexts import StoredContext
from penstock.store.database import Transaction
from penstock.store.restrictions import Restriction, RestrictionKind
from penstock.store.sealing import Sealer
from penstock.store.variables import Holder, VariableInfo

T = TypeVar("T")

MOST_CONTEXTS = 500
MOST_VARIABLES = 100
MOST_PROJECT_VARIABLES = 1000
MOST_RESTRICTIONS = 100
MOST_VALUE_BYTES = 32 << 10
_MOST_NAME = 200
_MOST_RULE = 4000
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,299}")


def create_context(parts: Parts, by: Principal, owner: Organization, name: str) -> StoredContext:
    """A new context without variables, for all members of the organization.

    Raises ForbiddenError, InvalidError for the name, ConflictError when it is taken, LimitExceededError past
    `MOST_CONTEXTS`.
    """
    if not 0 < len(name) <= _MOST_NAME:
        raise InvalidError(f"a context has a name of up to {_MOST_NAME} characters")

    def work(unit: Unit) -> StoredContext:
        if contexts.find_context(unit.tx, owner.id, name) is not None:
            raise ConflictError(f"there is a context {name} already")
        if contexts.count_contexts(unit.tx, owner.id) >= MOST_CONTEXTS:
            raise LimitExceededError(f"an organization may have {MOST_CONTEXTS} contexts")
        made = contexts.create_context(unit.tx, owner.id, name, now=unit.now)
        restrictions.add_restriction(unit.tx, made.id, RestrictionKind.GROUP, owner.uuid, now=unit.now)
        note(unit, by, "context.create", made.uuid, organization=owner, name=name)
        return made

    return _change(parts, by, Action.CHANGE_CONTEXTS, owner, work)


def open_context(tx: Transaction, by: Principal, uuid: str) -> tuple[StoredContext, Organization]:
    """The context and whose it is. Raises NotFoundError, also for others', and ForbiddenError."""
    context = contexts.context_by_uuid(tx, uuid)
    owner = projects.get_organization(tx, context.organization_id) if context is not None else None
    if context is None or owner is None or removal.is_marked(owner):
        raise NotFoundError("Context not found.")
    try:
        require(by, Action.SEE_CONTEXTS, owner)
    except NotFoundError as error:
        raise NotFoundError("Context not found.") from error
    return context, owner


def delete_context(parts: Parts, by: Principal, uuid: str) -> None:
    """The context is gone with its variables. Raises NotFoundError, ForbiddenError."""

    def work(unit: Unit, context: StoredContext, owner: Organization) -> None:
        contexts.delete_context(unit.tx, context.id)
        note(unit, by, "context.delete", uuid, organization=owner, name=context.name)

    _change_context(parts, by, Action.CHANGE_CONTEXTS, uuid, work)


def set_context_variable(
    parts: Parts, sealer: Sealer, by: Principal, uuid: str, name: str, value: str
) -> VariableInfo:
    """The context's variable has the value.

    Raises NotFoundError, ForbiddenError, also for who may not use the context, InvalidError for the name,
    LimitExceededError for a value past `MOST_VALUE_BYTES` or a variable past `MOST_VARIABLES`.
    """
    check_variable(name, value)

    def work(unit: Unit, context: StoredContext, owner: Organization) -> VariableInfo:
        holder = variables.of_context(context.id)
        _check_room(unit, holder, name, MOST_VARIABLES)
        note(unit, by, "context.set-variable", uuid, organization=owner, name=name)
        return variables.set_variable(unit.tx, sealer, holder, name, value, now=unit.now)

    return _change_context(parts, by, Action.CHANGE_CONTEXTS, uuid, work)


def delete_context_variable(parts: Parts, by: Principal, uuid: str, name: str) -> None:
    """The context has no such variable. Raises NotFoundError when it had none, ForbiddenError."""

    def work(unit: Unit, context: StoredContext, owner: Organization) -> None:
        _delete_variable(unit, variables.of_context(context.id), name)
        note(unit, by, "context.delete-variable", uuid, organization=owner, name=name)

    _change_context(parts, by, Action.CHANGE_CONTEXTS, uuid, work)


def add_restriction(parts: Parts, by: Principal, uuid: str, kind: RestrictionKind, value: str) -> Restriction:
    """The context is restricted in this way too; whether the value makes sense is for the caller to check.

    Raises NotFoundError, ForbiddenError, ConflictError when it was so already, LimitExceededError.
    """
    if not 0 < len(value) <= _MOST_RULE:
        raise InvalidError(f"a restriction has a value of up to {_MOST_RULE} characters")

    def work(unit: Unit, context: StoredContext, owner: Organization) -> Restriction:
        if len(restrictions.restrictions_of(unit.tx, context.id)) >= MOST_RESTRICTIONS:
            raise LimitExceededError(f"a context may have {MOST_RESTRICTIONS} restrictions")
        made = restrictions.add_restriction(unit.tx, context.id, kind, value, now=unit.now)
        if made is None:
            raise ConflictError("the context is restricted in this way already")
        note(unit, by, "context.restrict", uuid, organization=owner, kind=kind.value, value=value)
        return made

    return _change_context(parts, by, Action.RESTRICT_CONTEXTS, uuid, work)


def remove_restriction(parts: Parts, by: Principal, uuid: str, restriction: str) -> None:
    """The context is not restricted in this way. Raises NotFoundError, ForbiddenError."""

    def work(unit: Unit, context: StoredContext, owner: Organization) -> None:
        found = restrictions.restriction_by_uuid(unit.tx, restriction)
        if found is None or found.context_id != context.id:
            raise NotFoundError("Context restriction not found.")
        restrictions.delete_restriction(unit.tx, found.id)
        details = {"kind": found.kind.value, "value": found.value}
        note(unit, by, "context.unrestrict", uuid, organization=owner, **details)

    _change_context(parts, by, Action.RESTRICT_CONTEXTS, uuid, work)


def set_project_variable(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, name: str, value: str
) -> VariableInfo:
    """The project's variable has the value. Raises as `set_context_variable` does."""
    check_variable(name, value)

    def work(unit: Unit, found: Project, owner: Organization) -> VariableInfo:
        holder = variables.of_project(found.id)
        _check_room(unit, holder, name, MOST_PROJECT_VARIABLES)
        note(unit, by, "project.set-variable", found.uuid, organization=owner, name=name)
        return variables.set_variable(unit.tx, sealer, holder, name, value, now=unit.now)

    return change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def delete_project_variable(parts: Parts, by: Principal, project: Project, name: str) -> None:
    """The project has no such variable. Raises NotFoundError when it had none, ForbiddenError."""

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        _delete_variable(unit, variables.of_project(found.id), name)
        note(unit, by, "project.delete-variable", found.uuid, organization=owner, name=name)

    change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def check_variable(name: str, value: str) -> None:
    """Return when a variable may be so; raises InvalidError, LimitExceededError when not."""
    if not _VARIABLE.fullmatch(name):
        raise InvalidError("a variable's name has letters, digits and _, and does not begin with a digit")
    if "\x00" in value:
        raise InvalidError("no variable of a process can hold a zero byte")
    if len(value.encode("utf-8", "surrogatepass")) > MOST_VALUE_BYTES:
        raise LimitExceededError(f"a variable may have {MOST_VALUE_BYTES >> 10} KiB")


def mask_value(value: str) -> str:
    """How a value is shown: its last four characters at most (CircleCI API v2: listEnvVars)."""
    shown = value[-4:] if len(value) > 4 and value[-4:].isascii() else ""  # noqa: PLR2004 - the same four
    return f"xxxx{shown}"


def _check_room(unit: Unit, holder: Holder, name: str, most: int) -> None:
    if (
        not variables.has_variable(unit.tx, holder, name)
        and variables.count_variables(unit.tx, holder) >= most
    ):
        raise LimitExceededError(f"there may be {most} variables at a time")


def _delete_variable(unit: Unit, holder: Holder, name: str) -> None:
    if not variables.delete_variable(unit.tx, holder, name):
        raise NotFoundError("Environment variable not found.")


def _change_context(
    parts: Parts,
    by: Principal,
    action: Action,
    uuid: str,
    work: Callable[[Unit, StoredContext, Organization], T],
) -> T:
    """What `work` returned, which changed the contexts of the organization alone."""
    with parts.db.read() as tx:
        _, owner = open_context(tx, by, uuid)

    def reopened(unit: Unit) -> T:
        context, found = open_context(unit.tx, by, uuid)
        _require_group(unit.tx, by, context, found)
        return work(unit, context, found)

    return _change(parts, by, action, owner, reopened)


def _require_group(tx: Transaction, by: Principal, context: StoredContext, owner: Organization) -> None:
    """Return when the principal is in a group that the context is for, or administers the organization."""
    if may(by, Action.RESTRICT_CONTEXTS, owner):
        return
    wanted = choose_values(restrictions.restrictions_of(tx, context.id), RestrictionKind.GROUP)
    standing = Standing(organization_id=owner.id, user_id=by.user.id, role=role_in(by, owner))
    if not is_in_groups(tx, standing, owner.uuid, wanted):
        raise ForbiddenError("Permission denied: the context is for groups that you are not in.")


def _change(parts: Parts, by: Principal, action: Action, owner: Organization, work: Callable[[Unit], T]) -> T:
    """What `work` returned, while no other changed the contexts of the organization."""
    require(by, action, owner)

    def locked(unit: Unit) -> T:
        found = projects.lock_organization(unit.tx, owner.id)
        if found is None or removal.is_marked(found):
            raise NotFoundError("Organization not found.")
        if load_organization_settings(unit.tx, owner.id).contexts_require_admin:
            require(by, Action.RESTRICT_CONTEXTS, owner)
        unit.catch_up()
        return work(unit)

    return transact(parts, locked)

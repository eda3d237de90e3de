"""The variables of a project as they are shown: by name, masked."""

import msgspec

from penstock.engine.contexts import mask_value
from penstock.model.errors import NotFoundError, RefusedError
from penstock.model.project import Project
from penstock.store import variables
from penstock.store.database import Transaction
from penstock.store.sealing import Sealer


class ShownVariable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable whose value is masked."""

    name: str
    value: str
    created_at: int


def list_project_variables(tx: Transaction, sealer: Sealer, project: Project) -> list[ShownVariable]:
    """The project's variables by name.

    Where a value cannot be opened with the present keys nothing of it is shown; it can be set anew.
    """
    holder = variables.of_project(project.id)
    try:
        opened = variables.open_variables(tx, sealer, holder)
    except RefusedError:
        opened = {}
    return [
        ShownVariable(name=each.name, value=mask_value(opened.get(each.name, "")), created_at=each.created_at)
        for each in variables.list_variables(tx, holder)
    ]


def find_project_variable(tx: Transaction, sealer: Sealer, project: Project, name: str) -> ShownVariable:
    """The project's variable of that name. Raises NotFoundError."""
    for each in list_project_variables(tx, sealer, project):
        if each.name == name:
            return each
    raise NotFoundError("Environment variable not found.")

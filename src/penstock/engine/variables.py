"""Where the values of project variables and contexts come from."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from penstock.store import contexts, variables
from penstock.store.database import Database
from penstock.store.sealing import Sealer


class Variables(Protocol):
    """Secrets by owner; read when a task is handed out, never kept in a plan."""

    def of_project(self, project_id: int) -> Mapping[str, str]:
        """The project's variables."""
        ...

    def of_context(self, organization_id: int, name: str) -> Mapping[str, str] | None:
        """The context's variables, None when there is no such context."""
        ...


class GivenVariables(msgspec.Struct, frozen=True, kw_only=True):
    """Variables held in memory, as a command line gives them; every project sees the same ones."""

    project: Mapping[str, str] = {}
    contexts: Mapping[str, Mapping[str, str]] = {}

    def of_project(self, _project_id: int) -> Mapping[str, str]:
        """The given variables."""
        return self.project

    def of_context(self, _organization_id: int, name: str) -> Mapping[str, str] | None:
        """The given variables of that context."""
        return self.contexts.get(name)


class StoredVariables:
    """Variables as people set them, opened for each task anew."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    def of_project(self, project_id: int) -> Mapping[str, str]:
        """The project's variables."""
        with self._db.read() as tx:
            return variables.open_variables(tx, self._sealer, variables.of_project(project_id))

    def of_context(self, organization_id: int, name: str) -> Mapping[str, str] | None:
        """The context's variables, None when there is no such context."""
        with self._db.read() as tx:
            context = contexts.find_context(tx, organization_id, name)
            if context is None:
                return None
            return variables.open_variables(tx, self._sealer, variables.of_context(context.id))

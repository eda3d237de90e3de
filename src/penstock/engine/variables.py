"""Where the values of project variables and contexts, and the SSH keys of projects, come from."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from penstock.kit.shapes import read_json
from penstock.model.credentials import CloneCredentials
from penstock.model.errors import RefusedError
from penstock.model.project import SshKey
from penstock.store import contexts, secrets, variables
from penstock.store.database import Database
from penstock.store.sealing import Sealer

KEYS = "ssh-key/"
"""How the names of secrets begin that hold SSH keys of a project, as JSON of `SshKey`."""


CLONE = "clone"
"""The name of the secret that holds what a project is cloned with, as JSON of `CloneCredentials`."""


class Variables(Protocol):
    """Secrets by owner; read when a task is handed out, never kept in a plan."""

    def of_project(self, project_id: int) -> Mapping[str, str]:
        """The project's variables."""
        ...

    def of_context(self, organization_id: int, name: str) -> Mapping[str, str] | None:
        """The context's variables, None when there is no such context."""
        ...

    def keys_of_project(self, project_id: int) -> Sequence[SshKey]:
        """The SSH keys the project was given besides the one of its checkout."""
        ...

    def clone_credentials(self, project_id: int) -> CloneCredentials | None:
        """What the project is cloned with, None when nothing was set."""
        ...


class GivenVariables(msgspec.Struct, frozen=True, kw_only=True):
    """Variables held in memory, as a command line gives them; every project sees the same ones."""

    project: Mapping[str, str] = {}
    contexts: Mapping[str, Mapping[str, str]] = {}
    keys: tuple[SshKey, ...] = ()

    def of_project(self, _project_id: int) -> Mapping[str, str]:
        """The given variables."""
        return self.project

    def of_context(self, _organization_id: int, name: str) -> Mapping[str, str] | None:
        """The given variables of that context."""
        return self.contexts.get(name)

    def keys_of_project(self, _project_id: int) -> Sequence[SshKey]:
        """The given keys."""
        return self.keys

    def clone_credentials(self, _project_id: int) -> CloneCredentials | None:
        """None: what is on this machine is read without."""
        return None


class StoredVariables:
    """Variables as the database holds them, opened with the keys of this server."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    def of_project(self, project_id: int) -> Mapping[str, str]:
        """The project's variables. Raises RefusedError when one cannot be opened with the present keys."""
        with self._db.read() as tx:
            return variables.open_variables(tx, self._sealer, variables.of_project(project_id))

    def of_context(self, organization_id: int, name: str) -> Mapping[str, str] | None:
        """The context's variables, None when there is no such context; raises as `of_project`."""
        with self._db.read() as tx:
            context = contexts.find_context(tx, organization_id, name)
            if context is None:
                return None
            try:
                return variables.open_variables(tx, self._sealer, variables.of_context(context.id))
            except RefusedError as error:
                raise RefusedError(f"context {name}: {error}") from error

    def keys_of_project(self, project_id: int) -> Sequence[SshKey]:
        """The project's keys, oldest first; raises as `of_project`."""
        with self._db.read() as tx:
            found = secrets.open_secrets(tx, self._sealer, secrets.of_project(project_id), KEYS)
        return tuple(read_json(plain, SshKey) for plain in found.values())

    def clone_credentials(self, project_id: int) -> CloneCredentials | None:
        """What the project is cloned with, None when nothing was set; raises as `of_project`."""
        with self._db.read() as tx:
            plain = secrets.open_secret(tx, self._sealer, secrets.of_project(project_id), CLONE)
        return None if plain is None else read_json(plain, CloneCredentials)

"""Where the values of project variables and contexts, and the SSH keys of projects, come from."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from penstock.model.project import SshKey


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

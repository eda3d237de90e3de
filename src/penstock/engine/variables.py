"""Where the values of project variables and contexts, the keys of projects and the ways to them come from."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from penstock.forge.known_hosts import find_host_key, spell_for_ssh
from penstock.kit.shapes import read_json
from penstock.model.credentials import CloneCredentials, CloneWay
from penstock.model.errors import RefusedError
from penstock.model.project import Project, SshKey
from penstock.store import contexts, memberships, secrets, users, variables
from penstock.store.database import Database, Transaction
from penstock.store.sealing import Sealer

KEYS = "ssh-key/"
"""How the names of secrets begin that hold SSH keys of a project, as JSON of `SshKey`."""


CHECKOUT = "checkout-key/"
"""How the names of secrets begin that hold private halves of checkout keys; the newest is preferred."""

NOBODY = "-"
"""What stands in the name of a checkout key that is no person's."""

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

    def clone_way(self, project: Project) -> CloneWay:
        """Where the project is cloned from, and with what."""
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

    def clone_way(self, project: Project) -> CloneWay:
        """Its own address: what is on this machine is read without credentials."""
        return CloneWay(url=project.url)


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

    def clone_way(self, project: Project) -> CloneWay:
        """Where the project is cloned from, and with what; raises as `of_project`."""
        with self._db.read() as tx:
            return find_way(tx, self._sealer, project)


def open_credentials(tx: Transaction, sealer: Sealer, project_id: int) -> CloneCredentials | None:
    """What was set by hand for cloning the project, None when nothing was."""
    plain = secrets.open_secret(tx, sealer, secrets.of_project(project_id), CLONE)
    return None if plain is None else read_json(plain, CloneCredentials)


def has_credentials(tx: Transaction, sealer: Sealer, project_id: int) -> bool:
    """True when a token or a key was set by hand, not only known hosts."""
    given = open_credentials(tx, sealer, project_id)
    return given is not None and bool(given.token or given.private_key)


def find_way(tx: Transaction, sealer: Sealer, project: Project) -> CloneWay:
    """Where the project is cloned from, and with what.

    A token or key that was set by hand goes before all checkout keys, the newest of these before the others.
    With a checkout key a well-known host is spoken to over ssh, whatever the project's address.
    """
    known = [info.name for info in secrets.list_secrets(tx, secrets.of_project(project.id))]
    given = open_credentials(tx, sealer, project.id) if CLONE in known else None
    if given is not None and (given.token or given.private_key):
        return CloneWay(url=project.url, credentials=given)
    name = choose_key(tx, project, known)
    key = secrets.open_secret(tx, sealer, secrets.of_project(project.id), name) if name else None
    url = spell_for_ssh(project.url)
    if key is None or url is None:
        return CloneWay(url=project.url, credentials=given)
    hosts = given.known_hosts if given is not None else ""
    credentials = CloneCredentials(private_key=key.decode(), known_hosts=hosts or find_host_key(url))
    return CloneWay(url=url, credentials=credentials)


def choose_key(tx: Transaction, project: Project, names: Sequence[str]) -> str:
    """Of the names of secrets, oldest first, that of the checkout key to be used, "" for none.

    It is the newest; a person's own counts while they belong there.
    """
    for name in reversed(names):
        if name.startswith(CHECKOUT) and _is_theirs(tx, project, name.split(" ")[1]):
            return name
    return ""


def _is_theirs(tx: Transaction, project: Project, person: str) -> bool:
    """True when the project is still the business of a key's person; nobody's is that of all."""
    if person == NOBODY:
        return True
    user = users.user_by_uuid(tx, person)
    if user is None or user.disabled_at is not None:
        return False
    return user.admin or memberships.role_in(tx, user.id, project.organization_id) is not None
